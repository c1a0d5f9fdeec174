"""What of a view's rows came and went between two positions, found by the streams that something happened to.

A row's history keeps from which position until which it stood. So what is counted as of one position is what
was counted as of another, and the rows that stand at the one and not at the other: a few, however large the
book.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.domain.identifiers import StreamRef
from projections.folding.generations import LIVE
from projections.folding.view import Table


def names_of(table: Table, streams: Sequence[StreamRef]) -> tuple[str, ...]:
    """Name the streams that have rows in a table, as its first column does."""
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
