"""Which position a question stands for: the feed's end, a position, or the last one sealed by an instant."""

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from ledger.domain.calendar import ONE_DAY, brussels_midnight
from ledger.domain.command import read_date, read_instant
from ledger.errors import Rejected, UsageError
from ledger.feed.reader import Cursor, check_cursor
from ledger.store.feed import checkpoint, feed_end
from ledger.store.log import select_epochs
from ledger.store.pool import Connection

NOTHING = -1
"""The position before the first: nothing was known yet."""

ONE_MOMENT = timedelta(microseconds=1)

SEALED_AT = "select sealed_at from ledger.log where book = %s and position = %s"

IS_OVER = "select %s < clock_timestamp()"

POSITION = re.compile(r"([1-9][0-9]{0,8}:)?(0|[1-9][0-9]{0,18})", re.ASCII)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class NothingKnown(Rejected):
    """By the time asked for the ledger knew of nothing yet: an answer would rest on nothing."""

    def __init__(self, book: str, since: datetime | None) -> None:
        """`since`: when its first record became known, UTC; None: it has none."""
        self.since = since
        super().__init__(
            f"Nothing is known yet: book {book!r} has no record."
            if since is None
            else f"Nothing was known before {since.isoformat()}, when the first record of book {book!r} was "
            "sealed: ask for a later time."
        )


def read_as_of(said: str) -> Cursor | datetime:
    """Read what stands behind `--as-of`: a position, an instant with its offset, or a date (until its end).

    A bare position is one of the first epoch of the log.

    Raises `UsageError` for anything else.
    """
    if POSITION.fullmatch(said):
        return Cursor.parse(said)
    try:
        if DATE.fullmatch(said):
            # All that was known on that day: until the midnight that ends it, not included.
            return brussels_midnight(read_date(said) + ONE_DAY) - ONE_MOMENT
        return read_instant(said)
    except ValueError as error:
        message = (
            f"--as-of {said!r} is neither a position (4711), nor an instant with its offset"
            " (2026-03-01T09:00:00+01:00), nor a date (2026-03-01), from 1900 to 2199: write one of these."
        )
        raise UsageError(message) from error


def known_end(connection: Connection, book: str, views: Collection[str]) -> int:
    """Give the last position that all these views have folded; of no view: the feed's end.

    A question stands for no later one: while it is asked, others record and seal, and an answer as of a
    position must be the one that this position will always give.
    """
    if not views:
        return feed_end(connection, book)
    return min(checkpoint(connection, book, name) for name in views)


def position_as_of(
    connection: Connection, book: str, asked: Cursor | datetime | None, end: int, *, empty_ok: bool = False
) -> int:
    """Turn what was asked for into a position up to `end`, which None asks for.

    Raises `UsageError` for a position that has not been reached: its answer could still change;
    `NothingKnown` for an instant before the first record, unless `empty_ok`; `EpochsPart` and `EpochUnknown`
    for a position that the log does not hold any more, or not yet.
    """
    if asked is None:
        return end
    if isinstance(asked, Cursor):
        check_cursor(asked, select_epochs(connection, book))
        if asked.position > end:
            reached = "is empty" if end == NOTHING else f"ends at position {end}"
            message = (
                f"Position {asked.position} is not there yet: the feed {reached}; ask for one up to that."
            )
            raise UsageError(message)
        return asked.position
    if not empty_ok:
        since = sealed_at(connection, book, 0)
        if since is None or asked < since:
            raise NothingKnown(book, since)
    return _last_sealed_by(connection, book, asked, end)


def is_over(connection: Connection, instant: datetime) -> bool:
    """Say whether an instant lies behind the database's clock: nothing more is sealed by it."""
    with connection.cursor() as cursor:
        cursor.execute(IS_OVER, (instant,))
        (over,) = cursor.fetchone() or (False,)
    return bool(over)


def sealed_at(connection: Connection, book: str, position: int) -> datetime | None:
    """Give the instant at which a position became known, UTC; None for a position that has no event."""
    with connection.cursor() as cursor:
        cursor.execute(SEALED_AT, (book, position))
        found = cursor.fetchone()
    return None if found is None else found[0].astimezone(UTC)


def _last_sealed_by(connection: Connection, book: str, instant: datetime, end: int) -> int:
    # `sealed_at` never decreases and positions are dense, so the log is searched by halving:
    # some twenty look-ups by its key, and no further index on the largest table.
    low, high = NOTHING, end
    while low < high:
        middle = (low + high + 1) // 2
        at = sealed_at(connection, book, middle)
        if at is not None and at <= instant:
            low = middle
        else:
            high = middle - 1
    return low
