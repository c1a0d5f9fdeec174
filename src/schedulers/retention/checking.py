"""What `verify --views` asks of the notes on retention: whether they are what the feed says."""

from typing import TYPE_CHECKING

from ledger.domain.identifiers import StreamRef
from ledger.feed.reader import read_feed
from ledger.store.feed import checkpoint, feed_end
from ledger.verification.findings import CheckedView, NotVerified, OnProgress
from schedulers.retention.follower import NAME, Kept, Retention, fold_into, row_of
from schedulers.retention.queries import rows

if TYPE_CHECKING:
    from ledger.app import App

BATCH = 2000
"""Positions read at once."""
SNAPSHOT = "set transaction isolation level repeatable read, read only"


def check_retention(wiring: "App", progress: OnProgress) -> CheckedView:
    """Check the notes as far as they have come. Raises NotVerified for the first bad row."""
    newest: dict[StreamRef, int] = {}
    standing: dict[StreamRef, Kept] = {}
    with wiring.pool.transaction() as connection:
        with connection.cursor() as cursor:
            cursor.execute(SNAPSHOT)
        position, end = checkpoint(connection, wiring.book, NAME), feed_end(connection, wiring.book)
        if position > end:
            row = f"ledger.followers, {NAME}"
            raise NotVerified(
                None, row, f"it says position {position}, the feed ends at {end}: it was altered"
            )
        after = -1
        while after < position:
            limit = min(BATCH, position - after)
            for event in read_feed(connection, wiring.book, after, limit, Retention.types):
                newest.update(dict.fromkeys(fold_into(standing, event), event.position))
            after += limit
            progress(after + 1, position + 1)
        kept = rows(connection, wiring.book)
    fresh = {stream: row_of(stream, memory) for stream, memory in standing.items()}
    differing = [stream for stream in kept.keys() | fresh.keys() if kept.get(stream) != fresh.get(stream)]
    if differing:
        first = min(differing, key=lambda stream: (newest.get(stream, end), stream.name))
        if first not in kept:
            what = "the row that the feed gives is missing: it was deleted"
        elif first not in fresh:
            what = "no event explains this row: it was put in"
        else:
            what = "it is not what the feed gives: it was altered"
        raise NotVerified(newest.get(first), f"schedulers.retention, {first.name}", what)
    return CheckedView(len(fresh), position)
