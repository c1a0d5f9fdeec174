"""Tables for people, fitted to the window: amounts with currency, dates, statuses; JSON for programs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, cast

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from ledger.cli.output import console, has_no_window, note, print_json
from ledger.domain.calendar import BRUSSELS
from projections.listing import ListColumn, Listing
from projections.queries.reader import plain_json

GAP = 2
"""Cells between two columns."""
EDGES = 2
"""Cells at both edges of a table."""
SHORTEST_FOLD = 20
"""A text that may fold is not folded into fewer cells than this, its longest word if that is shorter."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a column asks for, in cells."""

    natural: int
    """To stand on one line."""
    least: int
    """To lose nothing."""
    spare: int = 0
    """Left out first where it is highest; 0: never left out."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The columns that are shown and their widths in cells."""

    shown: Sequence[int]
    widths: Sequence[int]


def fit(demands: Sequence[Demand], window: int) -> Fit:
    """Leave out what can be spared until the rest fits into `window` cells, then share the room.

    What can't be spared and doesn't fit keeps its least width: the terminal folds the line, and no value is
    cut off.
    """
    shown = list(range(len(demands)))
    while total([demands[index].least for index in shown]) > window:
        sparest = max(shown, key=lambda index: demands[index].spare)
        if not demands[sparest].spare:
            break
        shown.remove(sparest)
    widths = [demands[index].natural for index in shown]
    while total(widths) > window:
        roomiest = max(range(len(shown)), key=lambda at: widths[at] - demands[shown[at]].least)
        if widths[roomiest] == demands[shown[roomiest]].least:
            break
        widths[roomiest] -= 1
    return Fit(shown, widths)


def demand(
    header: str, cells: Sequence[str], *, folds: bool, spare: int, measure: Callable[[str], int] = len
) -> Demand:
    """Return what a column of these cells asks for. Its header may always fold between words.

    `measure`: how many cells a text takes in the window.
    """
    longest = max(map(measure, cells), default=0)
    words = max((measure(word) for cell in cells for word in cell.split()), default=0)
    least = min(words, SHORTEST_FOLD) if folds else longest
    return Demand(max(longest, measure(header)), max(least, *map(measure, header.split())), spare)


def total(widths: Sequence[int]) -> int:
    """Return the width of a whole table whose columns are so wide."""
    return sum(widths) + GAP * (len(widths) - 1) + EDGES


STYLES = {
    "active": "green",
    "notice_given": "yellow",
    "termination_notified": "yellow",
    "cancelled": "dim",
    "expired": "dim",
    "withdrawn": "dim",
    "annulled": "dim",
    "open": "cyan",
    "submitted": "blue",
    "accepted": "green",
    "rejected": "red",
    "closed": "dim",
    "acknowledged": "blue",
    "answered": "green",
    "escalated": "yellow",
    "met": "green",
    "missed": "bold red",
    "running": "green",
    "parked": "bold red",
}
"""A status is coloured by what it asks of the reader: red late, yellow soon, green well, dim over."""

CURRENCY = " EUR"

Values = Mapping[str, object]
Shown = Callable[[Values], "Text"]


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column of a table for people."""

    header: str
    shown: Shown
    to_the_right: bool = False
    folds: bool = False
    """Whether its values may be folded between words, where the window is narrow."""
    spare: int = 0
    """Left out first where it is highest, if the window is too narrow; 0: never."""

    def spared(self, spare: int) -> "TableColumn":
        """Return the same column, to be left out where the window is too narrow: the highest first."""
        return replace(self, spare=spare)


def text(header: str, field: str) -> TableColumn:
    """Show free text, which may be folded."""
    return TableColumn(header, lambda row: _text(row[field]), folds=True)


def plain(header: str, field: str) -> TableColumn:
    """Show the value as it is; nothing stands as a dash."""
    return TableColumn(header, lambda row: _text(row[field]))


def number(header: str, field: str) -> TableColumn:
    """Show a number, to the right."""
    return TableColumn(header, lambda row: _text(row[field]), to_the_right=True)


def alarming(header: str, field: str) -> TableColumn:
    """Show a number that ought to be nothing: red when it is not."""
    return TableColumn(
        header, lambda row: _text(row[field], "bold red" if row[field] else ""), to_the_right=True
    )


def status(header: str, field: str) -> TableColumn:
    """Show a status in its colour, in words."""

    def shown(row: Values) -> Text:
        said = str(row[field])
        return _text(said.replace("_", " "), STYLES.get(said, ""))

    return TableColumn(header, shown, folds=True)


def words(header: str, field: str) -> TableColumn:
    """Show a code as words: `termination_letter` as `termination letter`."""

    def shown(row: Values) -> Text:
        return _text(None if row[field] is None else str(row[field]).replace("_", " "))

    return TableColumn(header, shown, folds=True)


def amount(header: str, field: str) -> TableColumn:
    """Show cents as an amount: `5,000.00 EUR`."""
    return TableColumn(header, lambda row: _text(euros(row[field])), to_the_right=True)


def instant(header: str, field: str) -> TableColumn:
    """Show an instant by the clock of Brussels, to the second."""
    return TableColumn(header, lambda row: _text(in_brussels(row[field])), folds=True)


def left_of(header: str, left: str, write: Callable[[object], str | None]) -> TableColumn:
    """Show what is left of a limit: red when it is nothing; no limit has no rest."""

    def shown(row: Values) -> Text:
        if row[left] is None:
            return _text("no limit", "dim")
        return _text(write(row[left]), "red" if int(str(row[left])) <= 0 else "green")

    return TableColumn(header, shown, to_the_right=True)


def of_limit(header: str, used: str, limit: str, write: Callable[[object], str | None]) -> TableColumn:
    """Show what is used of a limit: `1 of 3`; where there is no limit, only what is used."""

    def shown(row: Values) -> Text:
        if row[limit] is None:
            return _text(write(row[used]), "dim")
        # "0.00 of 5,000.00 EUR": the currency is said once.
        return _text(f"{str(write(row[used])).removesuffix(CURRENCY)} of {write(row[limit])}")

    return TableColumn(header, shown, to_the_right=True)


_CELLS: Mapping[str, Callable[[str, str], TableColumn]] = {
    "amount": amount,
    "number": number,
    "year": number,
    "code": words,
    "status": status,
    "instant": instant,
    "prose": text,
}


def columns_of(listing: Listing, *without: str) -> tuple[TableColumn, ...]:
    """Return the columns of a list as the command line shows them, without some."""
    spared = {name: rank for rank, name in enumerate(reversed(listing.left_out.split()), 1)}
    return tuple(
        _cell_of(column).spared(spared.get(column.name, 0))
        for column in listing.chosen(listing.table)
        if column.name not in without
    )


def _cell_of(column: ListColumn) -> TableColumn:
    said, header = column.said, column.said.short_heading
    write: Callable[[object], str | None] = euros if said.look == "amount" else str
    if said.limit:
        return of_limit(header, column.name, said.limit, write)
    if said.is_rest:
        return left_of(header, column.name, write)
    return _CELLS.get(said.look, plain)(header, column.name)


CONTACT_COLUMNS: tuple[TableColumn, ...] = (
    plain("for", "purpose"),
    text("name", "name"),
    plain("phone", "phone"),
    text("address", "address"),
)

PERSON_COLUMNS: tuple[TableColumn, ...] = (
    plain("person", "person"),
    text("name", "name"),
    text("email", "email"),
    text("address", "address"),
)


def fields(shown: Values, columns: Sequence[TableColumn], *, title: str) -> None:
    """Print one thing for people: each field on a line of its own."""
    table = Table(title=title, box=None, show_header=False, title_style="bold", title_justify="left")
    for column in columns:
        table.add_row(Text(column.header, style="dim"), column.shown(shown))
    console().print(table)


def in_brussels(value: object) -> str | None:
    """Write an instant by the clock of Brussels: `2026-03-01 09:00:00`."""
    return f"{value.astimezone(BRUSSELS):%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else None


def euros(cents: object) -> str | None:
    """Write cents as an amount of euros with its currency; None stays None."""
    if cents is None:
        return None
    whole = int(str(cents))
    sign = "-" if whole < 0 else ""
    return f"{sign}{abs(whole) // 100:,}.{abs(whole) % 100:02d}{CURRENCY}"


def show_rows(rows: Sequence[Values], columns: Sequence[TableColumn], *, title: str, empty: str) -> None:
    """Print rows as a table with its title and number of rows, or say kindly that there are none."""
    if rows:
        _print(rows, columns, f"{title} ({len(rows):,})")
    else:
        note(empty)


def show_section(shown: Values, name: str, columns: Sequence[TableColumn], *, title: str) -> None:
    """Print rows nested in one thing, under their own title; nothing where there are none."""
    rows = cast("Sequence[Values]", shown[name])
    if rows:
        _print(rows, columns, title)


def _print(rows: Sequence[Values], columns: Sequence[TableColumn], title: str) -> None:
    """Print a table that fits the window. What had to be left out is named on stderr."""
    out = console()
    cells = [[column.shown(row) for row in rows] for column in columns]
    asked = [
        demand(
            column.header,
            [cell.plain for cell in shown],
            folds=column.folds,
            spare=column.spare,
            measure=cell_len,
        )
        for column, shown in zip(columns, cells, strict=True)
    ]
    if has_no_window():
        # Into a pipe goes everything, unfolded: other programs look for it line by line.
        out.width = max(out.width, total([each.natural for each in asked]))
    fitted = fit(asked, out.width)
    table = Table(
        title=title,
        box=box.SIMPLE_HEAD,
        header_style="bold",
        title_style="bold",
        title_justify="left",
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for index, width in zip(fitted.shown, fitted.widths, strict=True):
        side: Literal["left", "right"] = "right" if columns[index].to_the_right else "left"
        table.add_column(columns[index].header, justify=side, width=width, overflow="fold")
    for number_of_row in range(len(rows)):
        table.add_row(*(cells[index][number_of_row] for index in fitted.shown))
    out.print(table, crop=False)
    left_out = [column.header for index, column in enumerate(columns) if index not in fitted.shown]
    if left_out:
        note(f"Left out at {out.width} columns: {', '.join(left_out)}. A wider window shows them, or --json.")


def show(
    rows: Sequence[Values], columns: Sequence[TableColumn], *, title: str, empty: str, json: bool
) -> None:
    """Print a list: for programs one array with all rows, for people a table."""
    if json:
        print_json(plain_json(list(rows)))
    else:
        show_rows(rows, columns, title=title, empty=empty)


def _text(value: object, style: str = "") -> Text:

    if value is None:
        return Text("-", style="dim")
    return Text(str(value), style=style)
