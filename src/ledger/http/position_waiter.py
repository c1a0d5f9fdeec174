"""Waiting for the seal: positions of what was just recorded, and the feed's end, as they come to be.

The sealer of the same process says what it has sealed, and nobody asks the database. Where another one seals,
one look at the database serves all who wait; while nobody waits, nothing is asked.
"""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final
from uuid import UUID

from fastapi.concurrency import run_in_threadpool

from ledger.store.errors import DatabaseUnavailable
from ledger.store.feed import EventVersion, feed_end, select_positions
from ledger.store.pool import Pool
from ledger.store.sealing import SealedBatch

LOOK_SECONDS: Final = 0.02
"""Between two looks where another process seals."""
SELDOM_SECONDS: Final = 0.1
"""Between two looks where the sealer of this process tells, for what others seal beside it."""
REMEMBERED: Final = 4_000
"""Positions told by the sealer that are kept for whoever asks a moment later."""


class PositionWaiter:
    """Those who wait for a seal, on one event loop."""

    def __init__(self, pool: Pool, book: str, *, is_told: bool = False) -> None:
        """Look through `pool`, which connects as the application. `is_told`: a sealer calls `tell`."""
        self._pool = pool
        self._book = book
        self._look_seconds = SELDOM_SECONDS if is_told else LOOK_SECONDS
        self._waiting: dict[EventVersion, set[asyncio.Future[int]]] = {}
        self._beyond: dict[asyncio.Future[int], int] = {}
        self._told: dict[EventVersion, int] = {}
        self.end = -1
        """The feed's end as far as it is known here; nobody looks while nobody waits."""
        self._loop = asyncio.get_running_loop()
        self._looking: asyncio.Task[None] | None = None

    def tell(self, batch: SealedBatch) -> None:
        """Note, from any thread, what was sealed just now."""
        positions = {
            EventVersion(str(UUID(bytes=event.place.stream_id)), event.place.version): position
            for position, event in enumerate(batch.events, batch.first_position)
        }
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._remember, positions, batch.end)

    async def position_of(self, stream_id: UUID, version: int, seconds: float) -> int | None:
        """Return an event's position, as soon as it has one; None if it has none after so many seconds."""
        place = EventVersion(str(stream_id), version)
        if place in self._told:
            return self._told[place]
        found: asyncio.Future[int] = self._loop.create_future()
        self._waiting.setdefault(place, set()).add(found)
        try:
            return await self._within(found, seconds)
        finally:
            if place in self._waiting:
                self._waiting[place].discard(found)
                if not self._waiting[place]:
                    del self._waiting[place]

    async def end_beyond(self, position: int, seconds: float) -> int | None:
        """Return the feed's end once it lies beyond a position; None if it does not within that time."""
        if self.end > position:
            return self.end
        found: asyncio.Future[int] = self._loop.create_future()
        self._beyond[found] = position
        try:
            return await self._within(found, seconds)
        finally:
            self._beyond.pop(found, None)

    async def _within(self, found: "asyncio.Future[int]", seconds: float) -> int | None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_while_wanted())
        try:
            return await asyncio.wait_for(found, seconds)
        except TimeoutError:
            return None

    async def _look_while_wanted(self) -> None:
        while self._waiting or self._beyond:
            places = list(self._waiting)
            try:
                positions, end = await run_in_threadpool(self._look, places)
            except DatabaseUnavailable:
                positions, end = {}, -1  # Whoever waits learns by its own time running out.
            self._settle(positions, end)
            await asyncio.sleep(self._look_seconds)

    def _look(self, places: Sequence[EventVersion]) -> tuple[Mapping[EventVersion, int], int]:
        with self._pool.connection() as connection:
            positions = select_positions(connection, self._book, places) if places else {}
            return positions, feed_end(connection, self._book)

    def _remember(self, positions: Mapping[EventVersion, int], end: int) -> None:
        self._told.update(positions)
        for place in list(islice(self._told, max(0, len(self._told) - REMEMBERED))):
            del self._told[place]
        self._settle(positions, end)

    def _settle(self, positions: Mapping[EventVersion, int], end: int) -> None:
        self.end = max(self.end, end)
        for place in self._waiting.keys() & positions.keys():
            for waiting in self._waiting[place]:
                if not waiting.done():
                    waiting.set_result(positions[place])
        for waiting, beyond in self._beyond.items():
            if self.end > beyond and not waiting.done():
                waiting.set_result(self.end)
