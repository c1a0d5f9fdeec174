"""Progress of a sweep: on stderr, only for a person who watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress

from ledger.cli.options import is_interactive
from ledger.cli.output import console


@contextmanager
def progress(said: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that is told how much has been done, and of how much."""
    if not is_interactive():
        yield lambda _done, _of: None
        return

    with Progress(console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(said, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
