"""Commands that print a list, made from its declaration: options, table, JSON and file."""

import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import click

from ledger.cli.options import DAY, book_option, examples, json_option
from ledger.domain.command import read_date
from projections.cli.output import out_option, write_out
from projections.cli.query_options import as_of_option, reading, time_options
from projections.cli.tables import columns_of, show
from projections.listing import Filter, Filters, Listing
from projections.queries.questions import each_row, rows_of

Command = Callable[..., None]
Option = Callable[[Any], Any]


class MonthParam(click.ParamType[date]):
    """A month, `2026-02`; kept as its first day."""

    name = "month"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read a year and a month and nothing else."""
        if isinstance(value, date):
            return value
        try:
            return read_date(f"{value}-01")
        except ValueError:
            self.fail(f"{value!r} is no month; write it as 2026-02.", param, ctx)


@dataclass(frozen=True, slots=True)
class ListTarget:
    """Of which book and time a list is asked for, and where it goes."""

    book: str
    as_json: bool
    out: Path | None
    as_of: str | None
    on: date | None = None


_METAVARS: Final[Mapping[str, str]] = {"contract": "C", "claim": "K"}


def filter_option(one: Filter) -> Option:
    """Return the option, or the argument, that takes a filter's value."""
    match one.name:
        case "month":
            return click.argument("month", type=MonthParam())
        case "every":
            return click.option("--all", "every", is_flag=True, help=one.help)
        case "year":
            return click.option("--year", type=click.IntRange(1900, 2199), metavar="YEAR", help=one.help)
        case "since" | "before" | "from":
            return click.option(f"--{one.name}", one.attribute, type=DAY, metavar="DATE", help=one.help)
        case _ if one.choices:
            return click.option(f"--{one.name}", type=click.Choice(one.choices), help=one.help)
        case _:
            return click.option(f"--{one.name}", metavar=_METAVARS[one.name], help=one.help)


def list_options(listing: Listing, *further: Option) -> Callable[[Command], Command]:
    """Add a list's filters, further options, the time, `--out`, `--book` and `--json`.

    The command is given `Filters`, a `ListTarget`, and by name what the further options hold.
    """
    # A bordereau is of a month: another date on which it would stand says nothing.
    time = as_of_option if "month" in listing.filter_names else time_options

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
            asked = {one.attribute: given.pop(one.attribute) for one in listing.filters}
            command(Filters(**asked), ListTarget(book, as_json, out, as_of, on), **given)

        added: Command = time(out_option(book_option(json_option(run))))
        for option in reversed((*map(filter_option, listing.filters), *further)):
            added = option(added)
        return added

    return add


def list_command(listing: Listing, said: str, *typed: str, title: str, empty: str) -> click.Command:
    """Return the command that prints a list. `said`: its help; `typed`: examples of it.

    `title`: of the table; it may hold what is asked for, as `{month}`. `empty`: printed in place of no rows.
    """

    def list_rows(asked: Filters, target: ListTarget) -> None:
        with reading(target.book, listing.views, as_of=target.as_of, on=target.on) as reader:
            if target.out is not None:
                with closing(each_row(reader, listing, asked)) as rows_one_by_one:
                    write_out(rows_one_by_one, listing.sheet, target.out)
                return
            rows: Sequence[dict[str, object]] = rows_of(reader, listing, asked)
        named = title.format(**asdict(asked))
        show(rows, columns_of(listing), title=named, empty=empty, json=target.as_json)

    list_rows.__doc__ = said
    return click.command()(list_options(listing)(examples(*typed)(list_rows)))
