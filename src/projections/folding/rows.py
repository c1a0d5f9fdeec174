"""Where a question finds a view's rows: in its table as of a position, or in rows folded for the question.

Both give the same columns under the name `found`, so that each view has one query, with one order and
one set of filters, for all times.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from projections.folding.view import Row, Table


class Source(Protocol):
    """Rows of one view of one book at one time."""

    def found(self, table: Table) -> tuple[str, dict[str, object]]:
        """Give a SQL query of the rows, with the parameters that it names."""
        ...


@dataclass(frozen=True, slots=True)
class AsOf:
    """The rows of the table as they stood at a position."""

    book: str
    position: int

    def found(self, table: Table) -> tuple[str, dict[str, object]]:
        """Select what had come to be by then and had not ceased to be."""
        sql = (
            f"select * from {table.name}"  # noqa: S608  # a table's name is a constant
            " where book = %(book)s and from_position <= %(position)s"
            " and (to_position is null or to_position > %(position)s)"
        )
        return sql, {"book": self.book, "position": self.position}


@dataclass(frozen=True, slots=True)
class Given:
    """Rows that were folded in memory, for a question that no table answers."""

    rows: Sequence[Row]

    def found(self, table: Table) -> tuple[str, dict[str, object]]:
        """Hand the rows to the database, which filters and orders them as it does its own."""
        objects = [dict(zip(table.columns, row, strict=True)) for row in self.rows]
        sql = f"select * from json_populate_recordset(null::{table.name}, %(given)s::json)"  # noqa: S608  # as above
        return sql, {"given": json.dumps(objects, default=_as_json)}


def _as_json(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(value)
