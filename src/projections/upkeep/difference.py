"""A view against a fresh fold of the feed in memory: every row, with its whole history, must be the same."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from ledger.store.feed import checkpoint
from ledger.store.pool import Connection, Pool
from projections.asking.histories import read_until
from projections.folding.versions import Folding
from projections.folding.view import Row, View
from projections.upkeep.rows import live_generation, rows_of

EVENTS: Final = """
select position, stream, version, type from ledger.history where book = %s and position = any(%s)
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row version that stands on one side only, and the event behind it."""

    view: str
    where: str
    """`view only`: a row that no event explains; `feed only`: a row that is missing."""
    from_position: int
    to_position: int | None
    row: Row
    event: str | None
    """The event at `from_position`: `contract/CC-1 7 contract.LimitConsumed`; None where none is there."""


def compare(pool: Pool, book: str, view: View[Any]) -> list[Difference]:
    """Compare a view, as far as it has come, with the feed up to there; the first bad position first."""
    with pool.transaction() as connection:
        # The checkpoint and the rows are read at one moment, so that a follower at work is no difference.
        with connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read, read only")
        position = checkpoint(connection, book, view.name)
        generation = live_generation(connection, book, view.name)
        kept = Counter(rows_of(connection, book, generation, view))
        folding = Folding(view)
        folding.take_all(read_until(connection, book, position, view.types))
        fresh = Counter((one.from_position, one.to_position, one.row) for one in folding.versions)
        found = [
            (where, *version)
            for where, only in (("view only", kept - fresh), ("feed only", fresh - kept))
            for version in only.elements()
        ]
        events = events_at(connection, book, {begin for _, begin, _, _ in found})
    differences = [
        Difference(view.name, where, begin, end, row, events.get(begin)) for where, begin, end, row in found
    ]
    return sorted(differences, key=lambda difference: (difference.from_position, difference.where))


def events_at(connection: Connection, book: str, positions: set[int]) -> dict[int, str]:
    """Name the events at these positions, as far as there are any."""
    if not positions:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, (book, list(positions)))
        return {position: f"{stream} {version} {name}" for position, stream, version, name in cursor}
