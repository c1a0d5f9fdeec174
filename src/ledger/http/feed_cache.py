"""The feed's newest events as they are sent, written once for all who listen.

A listener at the feed's end takes what comes from here; one that is far behind reads the database by itself,
page by page, until it is there. So memory does not grow with listeners, nor with how slowly they read.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, NamedTuple

from fastapi.concurrency import run_in_threadpool

from ledger.feed.publish import cloud_event_json, epoch_of, type_of
from ledger.feed.reader import Cursor, read_feed
from ledger.store.feed import feed_end
from ledger.store.log import select_epochs
from ledger.store.pool import Pool

KEPT: Final = 2_000
"""Events that are kept for listeners near the end."""
PAGE: Final = 250
"""Positions read at once."""


class CachedEvent(NamedTuple):
    """One event as it is sent."""

    position: int
    cursor: str
    """From which a reader goes on after it."""
    name: str
    """Its stable name: `claim.RefundIssued`."""
    type: str
    """Its type as subscribers know it: `coverledger.claim.RefundIssued.v1`."""
    json: bytes
    """Its CloudEvent."""
    frame: bytes
    """It as a server-sent event: `id` is its cursor."""


def read_sent(pool: Pool, book: str, type_prefix: str, after: int, limit: int) -> list[CachedEvent]:
    """Read the events at the `limit` positions above `after`, as they are sent."""
    with pool.connection() as connection:
        events = read_feed(connection, book, after, limit)
        epochs = select_epochs(connection, book) if events else []
    sent = []
    for event in events:
        epoch, cursor = epoch_of(event.position, epochs), str(Cursor(epochs[-1].epoch, event.position))
        published = type_of(event.type, event.schema_version, type_prefix)
        json = cloud_event_json(event, book, epoch, type_prefix=type_prefix)
        frame = b"id: %s\ndata: %s\n\n" % (cursor.encode(), json)
        sent.append(CachedEvent(event.position, cursor, event.type, published, json, frame))
    return sent


class FeedCache:
    """The newest events of one book."""

    def __init__(self, pool: Pool, book: str, type_prefix: Callable[[], str]) -> None:
        """Read through `pool`; nothing until somebody listens. `type_prefix`: of the book's CloudEvents."""
        self._pool = pool
        self._book = book
        self._type_prefix = type_prefix
        self._kept: deque[CachedEvent] = deque(maxlen=KEPT)
        self._end: int | None = None
        """Position up to which the window has read; None before anybody listened."""
        self._reading = asyncio.Lock()

    async def after(self, position: int) -> Sequence[CachedEvent]:
        """Return the next events after a position, a page at most; none at the feed's end."""
        if self._end is None or position >= self._end:
            await self._read_on(position)
        kept = self._from_memory(position)
        if kept is not None:
            return kept
        return await run_in_threadpool(self._read, position)

    def _from_memory(self, position: int) -> Sequence[CachedEvent] | None:
        if self._end is not None and position >= self._end:
            return ()
        if not self._kept or position + 1 < self._kept[0].position:
            return None
        first = position + 1 - self._kept[0].position
        return list(islice(self._kept, first, first + PAGE))

    async def _read_on(self, position: int) -> None:
        """Read what came after the window's end, for all who wait for it; one reads, the others find it."""
        async with self._reading:
            if self._end is not None and position < self._end:
                return
            if self._end is not None:
                found = await run_in_threadpool(self._read, self._end)
                self._kept.extend(found)
                if found:
                    self._end = found[-1].position
                if found and len(found) < PAGE:
                    return
            end = await run_in_threadpool(self._feed_end)
            if self._end is None or end - self._end > KEPT or end < self._end:
                # Nobody listened for long: what came meanwhile is not the newest any more.
                self._kept.clear()
                self._end = end

    def _read(self, after: int) -> list[CachedEvent]:
        return read_sent(self._pool, self._book, self._type_prefix(), after, PAGE)

    def _feed_end(self) -> int:
        with self._pool.connection() as connection:
            return feed_end(connection, self._book)
