"""Where a list goes: a table for people, JSON for programs, or a file that says how by its name's end."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ledger.commands.output import note
from projections.commands.progress import progress
from projections.commands.tables import Column, Values, show

if TYPE_CHECKING:
    from projections.exports.sheet import Rows, Sheet

F = TypeVar("F", bound=Callable[..., Any])


class OutFile(click.ParamType[Path]):
    """A file whose name says how it is written."""

    name = "file"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Refuse another end of the name before anything is read."""
        from ledger.endings import UsedWrongly  # noqa: PLC0415  # loaded when it runs
        from projections.exports.files import refuse_other_ends  # noqa: PLC0415  # as above

        path = Path(str(value))
        try:
            refuse_other_ends(path)
        except UsedWrongly as error:
            self.fail(str(error), param, ctx)
        return path


def out_option(command: F) -> F:
    """Add `--out`, passed on as `out`."""
    return click.option(
        "--out",
        type=OutFile(),
        metavar="FILE",
        help="Write all rows to a file: .csv, .xlsx or .parquet, as its name ends. Amounts are cents.",
    )(command)


def write_out(rows: "Rows", sheet: "Sheet", path: Path, total: int | None = None) -> None:
    """Write rows to a file and say how many; progress is shown to a person who watches."""
    from projections.exports.files import write_file  # noqa: PLC0415  # loaded when it runs

    with progress(f"Writing {path.name}", total) as report:

        def told() -> Iterator[Any]:
            for row in rows:
                report(1)
                yield row

        count = write_file(told(), sheet, path)
    note(f"Wrote {count:,} rows to {path}.")


def give(  # noqa: PLR0913  # rows, where they go, and their words
    rows: Sequence[Values],
    columns: tuple[Column, ...],
    sheet: str,
    out: Path | None,
    *,
    title: str,
    empty: str,
    json: bool,
) -> None:
    """Give a list: to its file, as JSON, or as a table. `sheet`: by what name its columns are known."""
    if out is None:
        show(rows, columns, title=title, empty=empty, json=json)
        return
    from projections.exports.sheets import SHEETS  # noqa: PLC0415  # loaded when it runs

    write_out(rows, SHEETS[sheet], out, len(rows))
