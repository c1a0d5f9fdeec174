"""Progress of what takes longer than a second: on stderr, only for a person who watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ledger.cli.options import is_interactive
from ledger.cli.output import console


@contextmanager
def progress(said: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how much more has been done; `total`: of how much, if that is known."""
    if not is_interactive():
        yield lambda _: None
        return
    from rich.progress import Progress, TextColumn  # noqa: PLC0415  # 0.1 s that a pipe need not pay

    # Of how much it is may be unknown, and then how far it has come is all that can be said.
    so_far = () if total is not None else (TextColumn("{task.completed:,.0f}"),)
    with Progress(
        *Progress.get_default_columns(), *so_far, console=console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task(said, total=total)
        yield lambda more: bar.advance(task, more)
