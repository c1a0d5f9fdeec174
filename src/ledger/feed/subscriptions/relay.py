"""Relays the whole feed to a NATS JetStream stream, in the order of positions, each event once.

The stream itself is the checkpoint: its newest message says which event comes next, so that neither a lost
acknowledgement nor a new leader makes a gap or an overtaking. The position in the database is what is shown,
and where to go on when the stream is empty, or holds something else than this feed. What was taken out of the
stream after it was there, by its limits, its readers or its operator, is not put back.

One message that the broker does not take, because it is too large say, is parked with what follows on its
contract, and the others go on. Replayed it goes out at the stream's end; a header says how far the relay was.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final
from uuid import UUID

from ledger.clock import machine_now
from ledger.feed.publishing.cloud_events import cloud_event_json, epoch_of
from ledger.feed.reading import FeedEvent
from ledger.feed.subscriptions.broker import (
    Broker,
    BrokerAway,
    Message,
    MessageRefused,
    Newest,
    connected,
)
from ledger.feed.subscriptions.courier import LOOK_SECONDS, SAFE_SHARE, LeaseLost
from ledger.feed.subscriptions.desk import Desk
from ledger.feed.subscriptions.lanes import moved_to
from ledger.feed.subscriptions.subjects import subject_of, subjects_of
from ledger.store.subscriptions import Lease, behind

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
        self._kept: set[UUID] = set()
        self._type_prefix = ""
        self._looked_at = float("-inf")
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
        self._kept, self._type_prefix = begun.kept, begun.type_prefix
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
                if monotonic() - self._looked_at >= LOOK_SECONDS:
                    last_sequence = await self._publish_kept(broker, last_sequence)
                    self._looked_at = monotonic()
                if self._feed_end() > self._position:
                    last_sequence = await self._publish(broker, last_sequence)
                else:
                    await asyncio.sleep(IDLE_SECONDS)
                if not await self._note(None):
                    return False
        return True

    async def _go_on_from(self, broker: Broker) -> int:
        """Take the position from the stream, if its newest message is of this feed; its last sequence."""
        standing = await broker.standing(subjects_of(self._lease.book))
        newest = standing.newest
        position = None if newest is None else await self._position_in_feed(newest)
        if newest is not None and position is not None:
            # Where a newer one was there and is gone, the place on record may be further than what is left.
            was_last = newest.sequence == standing.last_sequence
            self._position = position if was_last else max(position, self._position)
        return standing.last_sequence

    async def _position_in_feed(self, newest: Newest) -> int | None:
        """Find the event of a message in the feed: it may be of a log that was put back, or none of ours."""
        try:
            told = json.loads(newest.body)
            position, event_id = int(told["sequence"]), str(told["id"])
        except (ValueError, KeyError, TypeError):
            return None
        place = position if newest.place is None else newest.place
        if not 0 <= position <= place <= self._feed_end():
            return None
        stretch = await asyncio.to_thread(self._desk.read, position - 1, 1, None)
        return place if str(stretch.events[0].event_id) == event_id else None

    async def _publish(self, broker: Broker, last_sequence: int) -> int:
        """Publish what comes next; the sequence of the newest message. Raises BrokerAway."""
        stretch = await asyncio.to_thread(self._desk.read, self._position, BATCH_EVENTS, None)
        epochs = await asyncio.to_thread(self._desk.epochs)
        for event in stretch.events:
            if monotonic() > self._renewed_at + self._lease.seconds * SAFE_SHARE:
                break  # The lease is renewed before anything else goes out.
            if event.correlation_id in self._kept:
                await self._set_aside(event, None)
            else:
                message = self._message(event, epoch_of(event.position, epochs))
                try:
                    done = await broker.publish(message, last_sequence)
                except MessageRefused as refused:
                    await self._set_aside(event, str(refused))
                else:
                    # What the stream had before keeps its own, earlier sequence.
                    last_sequence = max(last_sequence, done.sequence)
            self._position = event.position
        return last_sequence

    async def _set_aside(self, event: FeedEvent, refused: str | None) -> None:
        """Park an event that is not taken, or keep one behind it, before any later one goes out."""
        kept = behind(event.position, event.correlation_id, machine_now())
        if refused is not None:
            kept = kept._replace(tries=1, failed_at=kept.due_at, told=refused)
        await asyncio.to_thread(self._desk.set_aside, kept, parks=refused is not None)
        self._kept.add(event.correlation_id)

    async def _publish_kept(self, broker: Broker, last_sequence: int) -> int:
        """Publish what was parked and is replayed; the sequence of the newest message. Raises BrokerAway."""
        for contract in await asyncio.to_thread(self._desk.due, machine_now()):
            last_sequence = await self._publish_contract(broker, contract, last_sequence)
        return last_sequence

    async def _publish_contract(self, broker: Broker, contract: UUID, last_sequence: int) -> int:
        epochs = await asyncio.to_thread(self._desk.epochs)
        while flights := await asyncio.to_thread(self._desk.recall, contract):
            for flight in flights:
                if monotonic() > self._renewed_at + self._lease.seconds * SAFE_SHARE:
                    return last_sequence  # The lease is renewed before anything else goes out.
                event = flight.event
                message = self._message(event, epoch_of(event.position, epochs), self._position)
                try:
                    done = await broker.publish(message, last_sequence)
                except MessageRefused:
                    await asyncio.to_thread(self._desk.park, contract)
                    return last_sequence
                last_sequence = max(last_sequence, done.sequence)
                await asyncio.to_thread(self._desk.took, event.position)
        self._kept.discard(contract)
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

    def _message(self, event: FeedEvent, epoch: int, place: int | None = None) -> Message:
        book = self._lease.book
        subject = subject_of(book, event.stream.kind, event.stream.number)
        body = cloud_event_json(event, book, epoch, type_prefix=self._type_prefix)
        return Message(subject, str(event.event_id), body, place)
