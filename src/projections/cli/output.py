"""Where a list goes: a table for people, JSON for programs, or a file that says how by its name's end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.progress import Progress, TextColumn

from ledger.cli.options import is_interactive
from ledger.cli.output import console, note
from ledger.errors import UsageError
from projections.exports.files import refuse_other_ends, write_file
from projections.exports.sheets import Rows, Sheet


@contextmanager
def progress(said: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Yield a function that is told how much more has been done; `total`: of how much, if that is known."""
    if not is_interactive():
        yield lambda _: None
        return

    # Of how much it is may be unknown, and then how far it has come is all that can be said.
    so_far = () if total is not None else (TextColumn("{task.completed:,.0f}"),)
    with Progress(
        *Progress.get_default_columns(), *so_far, console=console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task(said, total=total)
        yield lambda more: bar.advance(task, more)


F = TypeVar("F", bound=Callable[..., Any])


class OutFile(click.ParamType[Path]):
    """A file whose name says how it is written."""

    name = "file"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Refuse another end of the name before anything is read."""
        path = Path(str(value))
        try:
            refuse_other_ends(path)
        except UsageError as error:
            self.fail(str(error), param, ctx)
        return path


def out_option(command: F) -> F:
    """Add `--out`, passed on as `out`."""
    return click.option(
        "--out",
        type=OutFile(),
        metavar="FILE",
        help="Write all rows to a file: .csv, .xlsx or .parquet, as its name ends. "
        "Amounts are euro in a .csv, cents elsewhere, as their columns say.",
    )(command)


def write_out(rows: Rows, sheet: Sheet, path: Path) -> None:
    """Write rows to a file and say how many; progress is shown to a person who watches."""
    with progress(f"Writing {path.name}", None) as report:

        def told() -> Iterator[Any]:
            for row in rows:
                report(1)
                yield row

        count = write_file(told(), sheet, path)
    note(f"Wrote {count:,} rows to {path}.")
