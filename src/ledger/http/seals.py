"""Waiting for the seal: positions of what was just recorded, and the feed's end, as they come to be.

One look at the database serves all who wait in this process. The sealer of the same process says at once when
it has sealed; where another one seals, the looks are some milliseconds apart. While nobody waits, nothing is
asked.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from fastapi.concurrency import run_in_threadpool

from ledger.store.errors import Unreachable
from ledger.store.feed_rows import feed_end
from ledger.store.pool import Pool
from ledger.store.positions import Place, select_positions

LOOK_SECONDS: Final = 0.02
"""Between two looks, unless the sealer tells first."""


class Seals:
    """Those who wait for a seal, on one event loop."""

    def __init__(self, pool: Pool, book: str) -> None:
        """Look through `pool`, which connects as the application."""
        self._pool = pool
        self._book = book
        self._waiting: dict[Place, set[asyncio.Future[int]]] = {}
        self._beyond: dict[asyncio.Future[int], int] = {}
        self._sealed = asyncio.Event()
        self._wanted = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._looking: asyncio.Task[None] | None = None

    def tell(self) -> None:
        """Say, from any thread, that something was sealed just now."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._sealed.set)

    async def position_of(self, stream_id: UUID, version: int, seconds: float) -> int | None:
        """Give an event's position, as soon as it has one; None if it has none after so many seconds."""
        place = Place(str(stream_id), version)
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
        """Give the feed's end as soon as it lies beyond a position; None if it does not within that time."""
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
            self._sealed.clear()
            places = list(self._waiting)
            try:
                positions, end = await run_in_threadpool(self._look, places)
            except Unreachable:
                positions, end = {}, -1  # Whoever waits learns by its own time running out.
            self._settle(positions, end)
            try:
                await asyncio.wait_for(self._sealed.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue

    def _look(self, places: Sequence[Place]) -> tuple[Mapping[Place, int], int]:
        with self._pool.connection() as connection:
            positions = select_positions(connection, self._book, places) if places else {}
            return positions, feed_end(connection, self._book)

    def _settle(self, positions: Mapping[Place, int], end: int) -> None:
        for place, position in positions.items():
            for waiting in self._waiting.get(place, ()):
                if not waiting.done():
                    waiting.set_result(position)
        for waiting, beyond in self._beyond.items():
            if end > beyond and not waiting.done():
                waiting.set_result(end)
