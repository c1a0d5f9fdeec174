"""One connection to a NATS cluster, and the JetStream stream that a relay writes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import shuffle
from typing import Final, NamedTuple

import nats
from nats.aio.client import Client
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
_MESSAGE_ID: Final = api.Header.MSG_ID.value
_EXPECTED_LAST: Final = api.Header.EXPECTED_LAST_SEQUENCE.value


class BrokerAway(Exception):
    """The broker cannot be reached, or does not acknowledge. The message is one line without any password."""


class Standing(NamedTuple):
    """How a stream stands."""

    last_sequence: int
    """Of its newest message, or of the newest that it ever had; 0 for none."""
    last_body: bytes | None
    """Of its newest message; None where there is none any more."""


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

    async def standing(self) -> Standing:
        """Say how the stream stands."""
        state = (await self._jetstream.stream_info(self._stream)).state
        if state.messages == 0:
            return Standing(state.last_seq, None)
        last = await self._jetstream.get_msg(self._stream, state.last_seq)
        return Standing(state.last_seq, last.data)

    async def publish(self, message: Message, last_sequence: int) -> Acknowledgement:
        """Write a message directly after `last_sequence`, or not at all. Raises BrokerAway."""
        try:
            done = await self._jetstream.publish(
                message.subject,
                message.body,
                headers={
                    _MESSAGE_ID: message.event_id,
                    _EXPECTED_LAST: str(last_sequence),
                    "content-type": CONTENT_TYPE,
                },
            )
        except NoStreamResponseError as error:
            refused = f"no stream takes the subject {message.subject}, or it has no leader at the moment"
            raise BrokerAway(refused) from error
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
            await client.connect(
                server,
                name="claims-ledger relay",
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
    message = f"no server of CLAIMS_LEDGER_NATS takes the connection ({why[-1]})"
    raise BrokerAway(message)


def _described(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
