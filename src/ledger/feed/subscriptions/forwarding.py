"""Posts the feed to one receiver, each event once: what `coverledger listen` does."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from yarl import URL

from ledger.clock import machine_now
from ledger.feed.publishing.cloud_events import cloud_event_json, epoch_of
from ledger.feed.reading import FeedEvent, read_feed
from ledger.feed.subscriptions.outcome import Outcome, Verdict
from ledger.feed.subscriptions.sending import Sender
from ledger.feed.subscriptions.signing import signed_headers
from ledger.store.books import select_event_type_prefix
from ledger.store.feed import feed_end
from ledger.store.log import Epoch, select_epochs
from ledger.store.pool import Pool

BATCH_POSITIONS: Final = 500
PAUSE_SECONDS: Final = 0.2
"""Between two looks at a feed that has nothing new."""


class Forwarding:
    """Posts one after the other, remembers nothing, and tries nothing again."""

    def __init__(  # noqa: PLR0913 # a forwarding has so many parts
        self,
        pool: Pool,
        book: str,
        types: Sequence[str] | None,
        secret: str,
        *,
        seal: Callable[[], object],
        tell: Callable[[FeedEvent, Outcome], None],
    ) -> None:
        """`seal`: done before each look at the feed. `tell`: is told of each answer."""
        self._pool = pool
        self._book = book
        self._types = types
        self._secret = secret
        self._seal = seal
        self._tell = tell
        self._epochs: Sequence[Epoch] = ()
        self._type_prefix = ""

    async def run(self, url: URL, after: int, *, until_end: bool) -> bool:
        """Post what comes after a position, to the feed's end or for ever; whether all of it was taken."""
        all_taken = True
        async with Sender(url, connections=1, allow_private=True) as sender:
            while True:
                events, last = await asyncio.to_thread(self._read, after)
                for event in events:
                    all_taken &= await self._post(sender, event)
                if last == after:
                    if until_end:
                        return all_taken
                    await asyncio.sleep(PAUSE_SECONDS)
                after = last

    async def _post(self, sender: Sender, event: FeedEvent) -> bool:
        epoch = epoch_of(event.position, self._epochs)
        body = cloud_event_json(event, self._book, epoch, type_prefix=self._type_prefix)
        now = machine_now()
        headers = signed_headers([self._secret], str(event.event_id), now, body)
        outcome = await sender.post(body, headers, now)
        self._tell(event, outcome)
        return outcome.verdict is Verdict.TAKEN

    def _read(self, after: int) -> tuple[list[FeedEvent], int]:
        """Read on, and say how far."""
        self._seal()
        with self._pool.connection() as connection:
            self._epochs = select_epochs(connection, self._book)
            self._type_prefix = select_event_type_prefix(connection, self._book)
            last = min(feed_end(connection, self._book), after + BATCH_POSITIONS)
            return read_feed(connection, self._book, after, last - after, self._types), last
