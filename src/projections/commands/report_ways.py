"""How a report is asked for, and where it goes."""

import functools
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.cli.options import book_option, json_option
from projections.commands.reading import reading
from projections.commands.tables import Column, show
from projections.commands.writing import out_option, write_out

if TYPE_CHECKING:
    from projections.asking.reader import Reader
    from projections.asking.reports import Asked

Command = Callable[..., None]
Option = Callable[[Command], Command]


@dataclass(frozen=True, slots=True)
class Way:
    """How a report is asked for and where it goes."""

    book: str
    as_json: bool
    out: Path | None
    as_of: str | None
    on: date | None = None

    @contextmanager
    def reading(self, *views: str) -> "Iterator[Reader]":
        """Give a reader of these views at the time asked for."""
        with reading(self.book, views, as_of=self.as_of, on=self.on) as reader:
            yield reader


def narrowed(*options: Option) -> Callable[[Command], Command]:
    """Add these options, then `--out`, `--book` and `--json`.

    The command is given an `Asked` of all that narrows the report down, a `Way`, and by name whatever else
    its options hold.
    """

    def add(command: Command) -> Command:
        @functools.wraps(command)
        def run(  # one parameter an option
            *,
            book: str,
            as_json: bool,
            out: Path | None,
            as_of: str | None,
            on: date | None = None,
            **given: Any,  # noqa: ANN401  # click gives what the options hold
        ) -> None:
            from projections.asking.reports import Asked  # noqa: PLC0415  # loaded when it runs

            narrowing = {name: given.pop(name) for name in list(given) if name in Asked.__dataclass_fields__}
            command(Asked(**narrowing), Way(book, as_json, out, as_of, on), **given)

        added: Command = out_option(book_option(json_option(run)))
        for option in reversed(options):
            added = option(added)
        return added

    return add


def tell(  # noqa: PLR0913  # a report, where it goes, and its words
    name: str, asked: "Asked", way: Way, columns: tuple[Column, ...], *, title: str, empty: str
) -> None:
    """Give a report: to its file row by row, else as JSON or as a table."""
    from projections.asking.reports import REPORTS, each_of, rows_of  # noqa: PLC0415  # loaded when it runs

    report = REPORTS[name]
    with way.reading(report.view.name) as reader:
        if way.out is not None:
            with closing(each_of(reader, report, asked)) as rows_one_by_one:
                write_out(rows_one_by_one, report.sheet, way.out)
            return
        rows = rows_of(reader, report, asked)
    show(rows, columns, title=title, empty=empty, json=way.as_json)
