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
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import shuffle
from time import monotonic
from typing import Final, NamedTuple
from uuid import UUID

import nats
from nats.aio.client import Client
from nats.errors import MaxPayloadError
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from ledger.clock import machine_now
from ledger.feed.publish import CONTENT_TYPE, cloud_event_json, epoch_of
from ledger.feed.reader import FeedEvent
from ledger.store.subscriptions import Lease, behind
from ledger.webhooks.delivery_repository import DeliveryRepository
from ledger.webhooks.delivery_worker import LOOK_SECONDS, SAFE_SHARE, LeaseLost
from ledger.webhooks.endpoints import subject_of, subjects_of
from ledger.webhooks.ordered_queue import moved_to

CONNECT_SECONDS: Final = 2
ANSWER_SECONDS: Final = 5.0
"""For an acknowledgement: the election of a new leader takes less."""
REPLICAS: Final = 3
"""Of a stream that we make in a cluster."""
DUPLICATES_SECONDS: Final = 24 * 3600
"""How long the broker remembers ids, in a stream that we make."""

_NO_CLUSTER: Final = 10074
_TOO_LARGE: Final = 10054
_LIMIT_REACHED: Final = 10077
_OF_ONE_SUBJECT: Final = "per subject"
"""In the description of a limit that holds up one subject, not the stream."""
_MESSAGE_ID: Final = api.Header.MSG_ID.value
_EXPECTED_LAST: Final = api.Header.EXPECTED_LAST_SEQUENCE.value
_LONGEST_PLACE: Final = 18
_PLACE: Final = "Claims-Ledger-Position"
"""Header of a message that is sent late: how far the relay was when it was sent."""


class BrokerAway(Exception):
    """The broker cannot be reached, or does not acknowledge. The message is one line without any password."""


class MessageRefused(Exception):
    """The broker does not take this one message, and takes others. The message is one line."""


class Newest(NamedTuple):
    """The newest message of ours that is still in a stream."""

    sequence: int
    body: bytes
    place: int | None
    """How far the relay was, where the message was sent late; None: as far as the message's event."""


class JetStreamState(NamedTuple):
    """How a stream stands."""

    last_sequence: int
    """Of the newest message that it ever had, whether it is still there or not; 0 for none."""
    newest: Newest | None
    """None where nothing of ours is left."""


class Acknowledgement(NamedTuple):
    """What the broker said of one message."""

    sequence: int
    duplicate: bool
    """It had the message before."""


@dataclass(frozen=True, slots=True)
class Message:
    """One event on its way into the stream."""

    subject: str
    event_id: str
    body: bytes
    place: int | None = None
    """How far the relay is, where the event is sent after later ones."""


class Broker:
    """A connection. Whatever goes wrong on it raises BrokerAway, and then a new one is made."""

    def __init__(self, client: Client, stream: str) -> None:
        """`client` is connected."""
        self._stream = stream
        self._jetstream: JetStreamContext = client.jetstream(timeout=ANSWER_SECONDS)

    async def make_stream(self, subjects: str) -> None:
        """Make the stream where there is none yet; one that is there stays as its operator made it."""
        try:
            await self._jetstream.stream_info(self._stream)
        except NotFoundError:
            wanted = api.StreamConfig(
                name=self._stream,
                subjects=[subjects],
                num_replicas=REPLICAS,
                duplicate_window=DUPLICATES_SECONDS,
                description="Events of the claims ledger, in the order of their positions.",
            )
            try:
                await self._jetstream.add_stream(wanted)
            except APIError as error:
                if error.err_code != _NO_CLUSTER:
                    raise
                await self._jetstream.add_stream(wanted, num_replicas=1)

    async def standing(self, subjects: str) -> JetStreamState:
        """Return how the stream stands, and what is the newest of these subjects that is left in it."""
        last_sequence = (await self._jetstream.stream_info(self._stream)).state.last_seq
        try:
            # Not the message of that sequence: it may have been removed while older ones are still there.
            found = await self._jetstream.get_last_msg(self._stream, subjects)
        except NotFoundError:
            return JetStreamState(last_sequence, None)
        place = (found.headers or {}).get(_PLACE, "")
        return JetStreamState(
            last_sequence,
            Newest(found.seq or 0, found.data or b"", int(place) if _is_place(place) else None),
        )

    async def publish(self, message: Message, last_sequence: int) -> Acknowledgement:
        """Write a message directly after `last_sequence`, or not at all.

        Raises BrokerAway, MessageRefused.
        """
        headers = {
            _MESSAGE_ID: message.event_id,
            _EXPECTED_LAST: str(last_sequence),
            "content-type": CONTENT_TYPE,
        }
        if message.place is not None:
            headers[_PLACE] = str(message.place)
        try:
            done = await self._jetstream.publish(
                message.subject, message.body, stream=self._stream, headers=headers
            )
        except NoStreamResponseError as error:
            refused = f"no stream takes the subject {message.subject}, or it has no leader at the moment"
            raise BrokerAway(refused) from error
        except MaxPayloadError as error:
            refused = "the message is larger than the broker takes (max_payload)"
            raise MessageRefused(refused) from error
        except APIError as error:
            if error.err_code == _TOO_LARGE:
                refused = f"the message is larger than the stream {self._stream} takes (max_msg_size)"
                raise MessageRefused(refused) from error
            if error.err_code == _LIMIT_REACHED and _OF_ONE_SUBJECT in (error.description or ""):
                refused = f"the stream {self._stream} takes no more messages of this subject"
                raise MessageRefused(refused) from error
            raise
        return Acknowledgement(done.seq, bool(done.duplicate))


@asynccontextmanager
async def connected(servers: Sequence[str], stream: str) -> AsyncIterator[Broker]:
    """Connect to whichever server answers first. Raises BrokerAway, also for what goes wrong within."""
    client = await _client(servers)
    try:
        yield Broker(client, stream)
    except (nats.errors.Error, TimeoutError, OSError) as error:
        raise BrokerAway(_described(error)) from error
    finally:
        await client.close()


async def _client(servers: Sequence[str]) -> Client:
    """Try each server once, in any order: a cluster's nodes are alike."""
    tried = list(servers)
    shuffle(tried)
    why = ["no server is named"]

    async def note(error: Exception) -> None:
        why.append(_described(error))

    for server in tried:
        client = Client()
        try:
            async with asyncio.timeout(2 * CONNECT_SECONDS):
                await client.connect(
                    server,
                    name="coverledger relay",
                    allow_reconnect=False,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    connect_timeout=CONNECT_SECONDS,
                    error_cb=note,
                )
        except (nats.errors.Error, TimeoutError, OSError):
            await client.close()
            continue
        return client
    message = f"no server of COVERLEDGER_NATS takes the connection ({why[-1]})"
    raise BrokerAway(message)


def _is_place(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_PLACE


def _described(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


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
        self,
        repository: DeliveryRepository,
        lease: Lease,
        servers: Sequence[str],
        *,
        feed_end: Callable[[], int],
    ) -> None:
        """`servers`: URLs of the cluster's nodes. `feed_end`: position of the last sealed event, as seen."""
        self._repository = repository
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
        begun = await asyncio.to_thread(self._repository.begin)
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
            await asyncio.to_thread(self._repository.release)

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
        batch = await asyncio.to_thread(self._repository.read, position - 1, 1, None)
        return place if str(batch.events[0].event_id) == event_id else None

    async def _publish(self, broker: Broker, last_sequence: int) -> int:
        """Publish what comes next; the sequence of the newest message. Raises BrokerAway."""
        batch = await asyncio.to_thread(self._repository.read, self._position, BATCH_EVENTS, None)
        epochs = await asyncio.to_thread(self._repository.epochs)
        for event in batch.events:
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
        await asyncio.to_thread(self._repository.set_aside, kept, parks=refused is not None)
        self._kept.add(event.correlation_id)

    async def _publish_kept(self, broker: Broker, last_sequence: int) -> int:
        """Publish what was parked and is replayed; the sequence of the newest message. Raises BrokerAway."""
        for contract in await asyncio.to_thread(self._repository.due, machine_now()):
            last_sequence = await self._publish_contract(broker, contract, last_sequence)
        return last_sequence

    async def _publish_contract(self, broker: Broker, contract: UUID, last_sequence: int) -> int:
        epochs = await asyncio.to_thread(self._repository.epochs)
        while deliveries := await asyncio.to_thread(self._repository.recall, contract):
            for delivery in deliveries:
                if monotonic() > self._renewed_at + self._lease.seconds * SAFE_SHARE:
                    return last_sequence  # The lease is renewed before anything else goes out.
                event = delivery.event
                message = self._message(event, epoch_of(event.position, epochs), self._position)
                try:
                    done = await broker.publish(message, last_sequence)
                except MessageRefused:
                    await asyncio.to_thread(self._repository.park, contract)
                    return last_sequence
                last_sequence = max(last_sequence, done.sequence)
                await asyncio.to_thread(self._repository.took, event.position)
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
        state = await asyncio.to_thread(self._repository.note, changes, now)
        if state is None:
            raise LeaseLost(self._lease.name)
        self._noted, self._renewed_at = (self._position, told), begun
        return state == "active"

    def _message(self, event: FeedEvent, epoch: int, place: int | None = None) -> Message:
        book = self._lease.book
        subject = subject_of(book, event.stream.kind, event.stream.number)
        body = cloud_event_json(event, book, epoch, type_prefix=self._type_prefix)
        return Message(subject, str(event.event_id), body, place)
