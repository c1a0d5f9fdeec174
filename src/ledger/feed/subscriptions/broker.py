"""One connection to a NATS cluster, and the JetStream stream that a relay writes."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import shuffle
from typing import Final, NamedTuple

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, NotFoundError

from ledger.feed.publishing.cloud_events import CONTENT_TYPE

CONNECT_SECONDS: Final = 2
ANSWER_SECONDS: Final = 5.0
"""For the acknowledgement of a batch: the election of a new leader takes less."""
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
        self._client = client
        self._stream = stream
        self._jetstream: JetStreamContext = client.jetstream(timeout=ANSWER_SECONDS)
        self._inbox = client.new_inbox()
        self._number = 0
        self._awaited: dict[str, asyncio.Future[bytes]] = {}

    async def listen(self) -> None:
        """Begin to take acknowledgements."""
        await self._client.subscribe(f"{self._inbox}.*", cb=self._acknowledged)

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

    async def publish(
        self, messages: Sequence[Message], last_sequence: int
    ) -> Sequence[Acknowledgement | str]:
        """Write messages after `last_sequence`, each only directly after the one before it.

        So that none is ever overtaken. An acknowledgement, or an error's text, for each.
        """
        answers = []
        for ahead, message in enumerate(messages):
            self._number += 1
            token = str(self._number)
            answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            self._awaited[token] = answer
            answers.append(answer)
            await self._client.publish(
                message.subject,
                message.body,
                reply=f"{self._inbox}.{token}",
                headers={
                    _MESSAGE_ID: message.event_id,
                    _EXPECTED_LAST: str(last_sequence + ahead),
                    "content-type": CONTENT_TYPE,
                },
            )
        async with asyncio.timeout(ANSWER_SECONDS):
            return [_read(await answer) for answer in answers]

    def lost(self) -> None:
        """Give up what is awaited: the connection is gone."""
        for answer in self._awaited.values():
            if not answer.done():
                answer.set_exception(BrokerAway("the broker's node went away"))
        self._awaited.clear()

    async def _acknowledged(self, message: Msg) -> None:
        answer = self._awaited.pop(message.subject.rpartition(".")[2], None)
        if answer is not None and not answer.done():
            answer.set_result(message.data)


@asynccontextmanager
async def connected(servers: Sequence[str], stream: str) -> AsyncIterator[Broker]:
    """Connect to whichever server answers first. Raises BrokerAway, also for what goes wrong within."""
    client = await _client(servers)
    broker = Broker(client, stream)

    try:
        await broker.listen()
        yield broker
    except (nats.errors.Error, TimeoutError, OSError) as error:
        raise BrokerAway(_described(error)) from error
    finally:
        broker.lost()
        await client.close()


async def _client(servers: Sequence[str]) -> Client:
    """Try each server once, in any order: a cluster's nodes are alike."""
    tried = list(servers)
    shuffle(tried)
    why = "no server is named"
    for server in tried:
        client = Client()
        try:
            await client.connect(
                server,
                name="claims-ledger relay",
                allow_reconnect=False,
                connect_timeout=CONNECT_SECONDS,
                error_cb=_ignore,
            )
        except (nats.errors.Error, TimeoutError, OSError) as error:
            why = _described(error)
            continue
        return client
    message = f"no server of CLAIMS_LEDGER_NATS takes the connection ({why})"
    raise BrokerAway(message)


async def _ignore(_error: Exception) -> None:
    """Leave it to whoever waits for an answer: he is told as well."""


def _read(answer: bytes) -> Acknowledgement | str:
    if not answer:
        return "no stream takes the subject"
    told = json.loads(answer)
    if "error" in told:
        return str(told["error"].get("description", "it was refused"))
    return Acknowledgement(int(told["seq"]), bool(told.get("duplicate", False)))


def _described(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
