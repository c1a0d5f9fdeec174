"""A view against a fresh fold of the feed in memory: every row, with its whole history, must be the same."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ledger.store.checkpoints import checkpoint
from ledger.store.pool import Connection, Pool
from projections.asking.histories import read_until
from projections.folding.versions import Folding
from projections.folding.view import Row, View


@dataclass(frozen=True, slots=True)
class Difference:
    """A row version that stands on one side only."""

    view: str
    where: str
    """`view only`: a row that no event explains; `feed only`: a row that is missing."""
    from_position: int
    to_position: int | None
    row: Row


def compare(pool: Pool, book: str, view: View[Any]) -> list[Difference]:
    """Compare a view, as far as it has come, with the feed up to there; the first bad position first."""
    with pool.transaction() as connection:
        # The checkpoint and the rows are read at one moment, so that a follower at work is no difference.
        with connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read, read only")
        position = checkpoint(connection, book, view.name)
        kept = Counter(_rows(connection, book, view))
        folding = Folding(view)
        folding.take_all(read_until(connection, book, position, view.types))
    fresh = Counter((version.from_position, version.to_position, version.row) for version in folding.versions)
    found = [
        Difference(view.name, where, from_position, to_position, row)
        for where, only in (("view only", kept - fresh), ("feed only", fresh - kept))
        for from_position, to_position, row in only.elements()
    ]
    return sorted(found, key=lambda difference: (difference.from_position, difference.where))


def _rows(connection: Connection, book: str, view: View[Any]) -> Iterator[tuple[int, int | None, Row]]:
    columns = ", ".join(view.table.columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"select from_position, to_position, {columns} from {view.table.name} where book = %s",  # noqa: S608
            (book,),
        )
        for from_position, to_position, *row in cursor:
            yield from_position, to_position, tuple(row)
