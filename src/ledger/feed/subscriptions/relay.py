"""Relays the whole feed to a NATS JetStream stream, in the order of positions, each event once.

The stream itself is the checkpoint: its newest message says which event comes next, so that neither a lost
acknowledgement nor a new leader makes a gap or an overtaking. The position in the database is what is shown,
and where to go on when the stream is empty, or holds something else than this feed.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

from ledger.clock import machine_now
from ledger.feed.publishing.cloud_events import cloud_event_json, epoch_of
from ledger.feed.reading import FeedEvent
from ledger.feed.subscriptions.broker import Broker, BrokerAway, Message, connected
from ledger.feed.subscriptions.courier import SAFE_SHARE, LeaseLost
from ledger.feed.subscriptions.desk import Desk
from ledger.feed.subscriptions.lanes import moved_to
from ledger.feed.subscriptions.subjects import subject_of, subjects_of
from ledger.store.subscriptions import Lease

BATCH_EVENTS: Final = 256
IDLE_SECONDS: Final = 0.05
SHORTEST_WAIT_SECONDS: Final = 0.2
LONGEST_WAIT_SECONDS: Final = 5.0
"""Between two tries to reach the broker."""
RENEW_SHARE: Final = 1 / 3
"""Of a lease, after which it is renewed though there is nothing to note."""


class Relay:
    """One relay at work, as long as it holds the subscription's lease."""

    def __init__(
        self, desk: Desk, lease: Lease, servers: Sequence[str], *, feed_end: Callable[[], int]
    ) -> None:
        """`servers`: URLs of the cluster's nodes. `feed_end`: position of the last sealed event, as seen."""
        self._desk = desk
        self._lease = lease
        self._servers = servers
        self._feed_end = feed_end
        self._position = -1
        self._noted: tuple[int, str | None] = (-1, None)
        self._renewed_at = float("-inf")

    async def deliver(self, stopped: Callable[[], bool]) -> None:
        """Relay until `stopped`, or until the subscription is not active or another's.

        Raises GapFound, LeaseLost, and what the database says. A broker that is away is waited for.
        """
        self._renewed_at = monotonic()
        begun = await asyncio.to_thread(self._desk.begin)
        if begun is None:
            return
        found = begun.subscription
        self._position, self._noted = found.position, (found.position, found.told)
        stream, wait = found.target or "", SHORTEST_WAIT_SECONDS
        active, reached = True, self._position
        try:
            while active and not stopped():
                try:
                    active = await self._relay(stream, stopped)
                except BrokerAway as error:
                    active = await self._note(str(error))
                    wait = SHORTEST_WAIT_SECONDS if self._position > reached else wait * 2
                    reached = self._position
                    await asyncio.sleep(min(wait, LONGEST_WAIT_SECONDS))
        finally:
            await asyncio.to_thread(self._desk.release)

    async def _relay(self, stream: str, stopped: Callable[[], bool]) -> bool:
        """Relay over one connection; False when the subscription is over. Raises BrokerAway."""
        async with connected(self._servers, stream) as broker:
            await broker.make_stream(subjects_of(self._lease.book))
            last_sequence = await self._go_on_from(broker)
            while not stopped():
                if self._feed_end() > self._position:
                    last_sequence = await self._publish(broker, last_sequence)
                else:
                    await asyncio.sleep(IDLE_SECONDS)
                if not await self._note(None):
                    return False
        return True

    async def _go_on_from(self, broker: Broker) -> int:
        """Take the position from the stream, if its newest message is of this feed; its sequence."""
        standing = await broker.standing()
        if standing.last_body is not None:
            position = await self._position_in_feed(standing.last_body)
            if position is not None:
                self._position = position
        return standing.last_sequence

    async def _position_in_feed(self, body: bytes) -> int | None:
        """Find the event of a message in the feed: it may be of a log that was put back, or none of ours."""
        try:
            told = json.loads(body)
            position, event_id = int(told["sequence"]), str(told["id"])
        except (ValueError, KeyError, TypeError):
            return None
        if position > self._feed_end():
            return None
        stretch = await asyncio.to_thread(self._desk.read, position - 1, 1, None)
        return position if str(stretch.events[0].event_id) == event_id else None

    async def _publish(self, broker: Broker, last_sequence: int) -> int:
        """Publish what comes next; the sequence of the newest message. Raises BrokerAway."""
        stretch = await asyncio.to_thread(self._desk.read, self._position, BATCH_EVENTS, None)
        epochs = await asyncio.to_thread(self._desk.epochs)
        for event in stretch.events:
            if monotonic() > self._renewed_at + self._lease.seconds * SAFE_SHARE:
                break  # The lease is renewed before anything else goes out.
            message = self._message(event, epoch_of(event.position, epochs))
            done = await broker.publish(message, last_sequence)
            self._position = event.position
            # What the stream had before keeps its own, earlier sequence.
            last_sequence = max(last_sequence, done.sequence)
        return last_sequence

    async def _note(self, told: str | None) -> bool:
        """Note how far it is, where that has changed or the lease wants it. Raises LeaseLost."""
        since = monotonic() - self._renewed_at
        if (self._position, told) == self._noted and since < self._lease.seconds * RENEW_SHARE:
            return True
        moved = self._position != self._noted[0]
        begun, now = monotonic(), machine_now()
        changes = moved_to(self._position, now if moved else None, told)
        state = await asyncio.to_thread(self._desk.note, changes, now)
        if state is None:
            raise LeaseLost(self._lease.name)
        self._noted, self._renewed_at = (self._position, told), begun
        return state == "active"

    def _message(self, event: FeedEvent, epoch: int) -> Message:
        book = self._lease.book
        subject = subject_of(book, event.stream.kind, event.stream.number)
        return Message(subject, str(event.event_id), cloud_event_json(event, book, epoch))
