"""One connection to a NATS cluster, and the JetStream stream that a relay writes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import shuffle
from typing import Final, NamedTuple

import nats
from nats.aio.client import Client
from nats.errors import MaxPayloadError
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from ledger.feed.publishing.cloud_events import CONTENT_TYPE

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


class Standing(NamedTuple):
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

    async def standing(self, subjects: str) -> Standing:
        """Say how the stream stands, and what is the newest of these subjects that is left in it."""
        last_sequence = (await self._jetstream.stream_info(self._stream)).state.last_seq
        try:
            # Not the message of that sequence: it may have been removed while older ones are still there.
            found = await self._jetstream.get_last_msg(self._stream, subjects)
        except NotFoundError:
            return Standing(last_sequence, None)
        place = (found.headers or {}).get(_PLACE, "")
        return Standing(
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
