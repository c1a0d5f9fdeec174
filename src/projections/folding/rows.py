"""Where a question finds a view's rows: in its table as of a position, or in rows folded for the question.

Both give the same columns under the name `found`, so that each view has one query, with one order and
one set of filters, for all times.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import Protocol

from projections.folding.generations import LIVE
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
