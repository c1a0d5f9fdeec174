"""Stretches of the feed that follow without a gap, or a halt: nothing is guessed on a broken log."""

from collections.abc import Sequence
from typing import NamedTuple

from ledger.feed.followers import GapFound
from ledger.feed.reading import FeedEvent, feed_events
from ledger.store.feed import feed_end, select_feed
from ledger.store.pool import Connection


class Stretch(NamedTuple):
    """A part of the feed."""

    events: Sequence[FeedEvent]
    """Those wanted."""
    last: int
    """Last position of the part, whether it is wanted or not."""


def read_stretch(
    connection: Connection, book: str, after: int, limit: int, types: Sequence[str] | None
) -> Stretch:
    """Read on after a position, at most `limit` positions; `types` wanted, None: all.

    Raises GapFound where a position or its event is missing, or the feed ends before `after`.
    """
    rows = select_feed(connection, book, after, limit, types)
    if not rows and feed_end(connection, book) < after:
        message = (
            f"position {after} was read, but the feed of book {book!r} ends before it: an older state was "
            "restored"
        )
        raise GapFound(message)
    for expected, row in enumerate(rows, after + 1):
        if row.position != expected or (types is None and row.type is None):
            message = f"position {expected} of the feed of book {book!r} is missing: run `coverledger verify`"
            raise GapFound(message)
    wanted = feed_events(row for row in rows if row.type is not None)
    return Stretch(wanted, rows[-1].position if rows else after)
