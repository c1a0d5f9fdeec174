"""A view's rows as questions read them: where they are found, a page at a time, and what moved among them.

They stand in its table as of a position, or were folded for the question. Both give the same columns under
the name `found`, so that each view has one query, with one order and one set of filters, for all times.

A row's history keeps from which position until which it stood. So what is counted as of one position is what
was counted as of another, and the rows that stand at the one and not at the other: a few, however large the
book.
"""

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import count, zip_longest
from typing import Protocol, cast

from ledger.domain.identifiers import StreamRef
from ledger.store.pool import Connection, DictCursor
from projections.runner.generations import LIVE
from projections.runner.view import Row, Table


class RowSource(Protocol):
    """Rows of one view of one book at one time."""

    def found(self, table: Table) -> tuple[str, dict[str, object]]:
        """Return a SQL query of the rows, with the parameters that it names."""
        ...


@dataclass(frozen=True, slots=True)
class AsOf:
    """The rows of the table as they stood at a position."""

    book: str
    position: int
    is_newest: bool = False
    """Whether the view has folded nothing after the position: what ceased to be did so before it."""

    def found(self, table: Table) -> tuple[str, dict[str, object]]:
        """Select what had come to be by then and had not ceased to be."""
        ceased = "to_position is null"
        if not self.is_newest:
            ceased = f"({ceased} or to_position > %(position)s)"
        sql = (
            f"select * from {table.name}"  # noqa: S608  # a table's name is a constant
            f" where book = %(book)s and generation = {LIVE} and from_position <= %(position)s and {ceased}"
        )
        return sql, {"book": self.book, "view": table.view, "position": self.position}


@dataclass(frozen=True, slots=True)
class Given:
    """Rows that were folded in memory, for a question that no table answers."""

    rows: Sequence[Row]
    positions: Sequence[int] = ()
    """Those that made the rows so, as far as they are known."""

    def found(self, table: Table) -> tuple[str, dict[str, object]]:
        """Hand the rows to the database, which filters and orders them as it does its own."""
        objects = [
            dict(zip(table.columns, row, strict=True)) | {"from_position": position}
            for row, position in zip_longest(self.rows, self.positions)
        ]
        sql = f"select * from json_populate_recordset(null::{table.name}, %(given)s::json)"  # noqa: S608  # as above
        return sql, {"given": json.dumps(objects, default=_as_json)}


def _as_json(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(value)


PageKey = tuple[int, ...]
"""A row's place in its list's order."""

PLACE = "page_place"


@dataclass(slots=True)
class Paged:
    """A source of which the rows after a place are wanted, so many at most.

    `order`: what the view's query orders by, as whole numbers; together they name one row.
    """

    source: RowSource
    order: tuple[str, ...]
    after: PageKey | None
    limit: int
    places: list[PageKey] = field(default_factory=list)
    """Places of the rows that were read, filled by reading."""

    def found(self, table: Table) -> tuple[str, dict[str, object]]:
        """Return the rows after the place."""
        found, parameters = self.source.found(table)
        if self.after is None:
            return found, parameters
        sql = f"select * from ({found}) as all_found where ({', '.join(self.order)}) > %(page_after)s"  # noqa: S608  # a view's own columns
        return sql, parameters | {"page_after": self.after}

    def paged(self, sql: str) -> str:
        """Return the view's query with each row's place beside it, cut to the page."""
        place = f"array[{', '.join(f'({name})::bigint' for name in self.order)}]"
        begun = sql.replace("select", f"select {place} as {PLACE},", 1)
        return f"{begun} limit {self.limit:d}"

    def take_places(self, rows: list[dict[str, object]]) -> None:
        """Take the places from the rows, which bear them no longer."""
        self.places += [tuple(cast("list[int]", row.pop(PLACE))) for row in rows]


def names_of(table: Table, streams: Sequence[StreamRef]) -> tuple[str, ...]:
    """Return the streams that have rows in a table, as its first column does."""
    column = table.columns[0]
    if column == "subject":
        return tuple(stream.subject for stream in streams)
    return tuple(stream.number for stream in streams if stream.kind == column)


@dataclass(frozen=True, slots=True)
class Moved:
    """The rows that stand at one position and not at another, of a view whose rows are its streams' own."""

    book: str
    names: Sequence[str]
    """Of the streams that events between the two positions happened to, as the table's first column says."""
    at: int
    not_at: int

    def found(self, table: Table) -> tuple[str, dict[str, object]]:
        """Select them by the table's key, whatever the query that they stand in looks for (`offset 0`)."""
        sql = (
            f"select * from (select * from {table.name}"  # noqa: S608  # a table's name is a constant
            f" where book = %(book)s and generation = {LIVE} and {table.columns[0]} = any(%(moved_names)s)"
            f" and {_stands('moved_at')} and not {_stands('moved_not_at')} offset 0) as moved"
        )
        return sql, {
            "book": self.book,
            "view": table.view,
            "moved_names": list(self.names),
            "moved_at": self.at,
            "moved_not_at": self.not_at,
        }


def _stands(position: str) -> str:
    return f"(from_position <= %({position})s and (to_position is null or to_position > %({position})s))"


ROWS_AT_ONCE = 2_000

_numbers = count(1)


def select(
    connection: Connection, sql: str, table: Table, source: RowSource, asked: Mapping[str, object]
) -> list[dict[str, object]]:
    """Run a view's query over the rows of a source, which stands in it as `{found}`."""
    found, parameters = source.found(table)
    if isinstance(source, Paged):
        sql = source.paged(sql)
    with connection.cursor(cursor_factory=DictCursor) as cursor:
        cursor.execute(sql.format(found=found), parameters | dict(asked))
        rows = [dict(row) for row in cursor]
    if isinstance(source, Paged):
        source.take_places(rows)
    return rows


def select_each(
    connection: Connection, sql: str, table: Table, source: RowSource, asked: Mapping[str, object]
) -> Generator[dict[str, object], None, None]:
    """Run a view's query and give its rows some at a time, so that memory does not grow with them.

    The transaction must stay open until the last one is taken, or until this is closed.
    """
    found, parameters = source.found(table)
    with connection.cursor(f"rows_{next(_numbers)}", cursor_factory=DictCursor) as cursor:
        cursor.execute(sql.format(found=found), parameters | dict(asked))
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            for row in rows:
                yield dict(row)
