"""The relay to NATS JetStream, on a real cluster of three nodes: every event once, in order, whoever dies."""

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import nats
import pytest
from nats.js import JetStreamContext

from fixtures.broker import Broker, broker_running
from fixtures.subscribed import Desk, eventually
from ledger.webhooks.dispatcher import DispatchSettings
from ledger.webhooks.endpoints import subject_of, subjects_of

pytestmark = pytest.mark.test_all

STREAM = "claims-cyber-care"
Result = TypeVar("Result")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with broker_running(tmp_path_factory.mktemp("broker") / "nodes") as broker:
        yield broker


@pytest.fixture
def broker(cluster: Broker) -> Iterator[Broker]:
    """The cluster, without our stream in the end."""
    yield cluster
    asyncio.run(delete_stream(cluster))


def lag(desk: Desk) -> int:
    return desk.subscriptions.one("bus").lag


def terms(broker: Broker) -> DispatchSettings:
    return DispatchSettings(nats_servers=broker.urls.split())


def read_relay(broker: Broker, count: int) -> list[tuple[str, str, dict[str, Any]]]:
    """Subject, message id and event of the stream's first messages, as a client not ours reads them."""

    async def read() -> list[tuple[str, str, dict[str, Any]]]:
        async with client_of(broker) as client:
            jetstream = client.jetstream(timeout=20)
            reading = await jetstream.subscribe(subjects_of("cyber-care"), ordered_consumer=True)
            found = []
            while len(found) < count:
                message = await reading.next_msg(timeout=20)
                assert message.headers is not None
                found.append((message.subject, message.headers["Nats-Msg-Id"], json.loads(message.data)))
            return found

    return asyncio.run(read())


@asynccontextmanager
async def client_of(broker: Broker) -> AsyncIterator[nats.NATS]:
    client = await nats.connect([node.url for node in broker.nodes if node.running is not None])
    try:
        yield client
    finally:
        await client.close()


async def delete_stream(broker: Broker) -> None:
    async with client_of(broker) as client:
        await client.jetstream(timeout=20).delete_stream(STREAM)


async def publish_as_another(broker: Broker, body: bytes) -> None:
    async with client_of(broker) as client:
        await client.jetstream(timeout=20).publish("claims.cyber-care.claim.X", body)


async def at(broker: Broker, act: Callable[[JetStreamContext], Awaitable[Result]]) -> Result:
    async with client_of(broker) as client:
        return await act(client.jetstream(timeout=20))


async def alter(jetstream: JetStreamContext, **changes: object) -> None:
    """Change how the stream is made, as its operator would."""
    config = (await jetstream.stream_info(STREAM)).config
    await jetstream.update_stream(config.evolve(**changes))


async def bytes_of_the_first(jetstream: JetStreamContext) -> int:
    message = await jetstream.get_msg(STREAM, 1)
    return len(message.data or b"") + len(b64decode(message.hdrs or b""))


async def messages_in(broker: Broker) -> int:
    async with client_of(broker) as client:
        return (await client.jetstream(timeout=20).stream_info(STREAM)).state.messages


def test_a_nats_client_reads_every_event_once_and_in_order_though_the_leader_is_killed(
    desk: Desk, broker: Broker
) -> None:
    desk.subscriptions.add_relay("bus", STREAM, after=-1)
    killed = None
    with desk.delivering(terms(broker)):
        for part in range(40):
            desk.record(*(number % 20 for number in range(100)))
            if part == 10:
                killed = broker.leader_of(STREAM)
                assert killed is not None
                killed.kill()
            if part == 30 and killed is not None:
                killed.start()
        eventually(lambda: lag(desk) == 0, seconds=60)
    found = read_relay(broker, 4_000)
    assert [int(event["sequence"]) for _, _, event in found] == list(range(4_000))
    assert all(message_id == event["id"] for _, message_id, event in found)
    assert found[3][0] == "claims.cyber-care.claim.CL-3"
    assert asyncio.run(messages_in(broker)) == 4_000


def test_the_stream_says_where_to_go_on_whatever_the_database_remembers(desk: Desk, broker: Broker) -> None:
    desk.subscriptions.add_relay("bus", STREAM, after=-1)
    desk.record(*range(50))
    with desk.delivering(terms(broker)):
        eventually(lambda: lag(desk) == 0)
    with desk.pool.connection() as connection, connection.cursor() as cursor:
        # As after a crash between the acknowledgement and the checkpoint.
        cursor.execute("update ledger.subscriptions set position = 9")
    desk.record(*range(10))
    with desk.delivering(terms(broker)):
        eventually(lambda: lag(desk) == 0)
    assert [int(event["sequence"]) for _, _, event in read_relay(broker, 60)] == list(range(60))
    assert asyncio.run(messages_in(broker)) == 60


def test_a_message_of_somebody_else_neither_stops_it_nor_lets_it_lose_its_place(
    desk: Desk, broker: Broker
) -> None:
    desk.subscriptions.add_relay("bus", STREAM, after=-1)
    desk.record(*range(20))
    with desk.delivering(terms(broker)):
        eventually(lambda: lag(desk) == 0)
        asyncio.run(publish_as_another(broker, b"not of ours"))
        desk.record(*range(20))
        eventually(lambda: lag(desk) == 0)
    assert asyncio.run(messages_in(broker)) == 41


async def _delete_newest(jetstream: JetStreamContext) -> None:
    await jetstream.delete_msg(STREAM, 20)


async def _delete_the_newest_ten(jetstream: JetStreamContext) -> None:
    for sequence in range(11, 21):
        await jetstream.delete_msg(STREAM, sequence)


async def _purge_all(jetstream: JetStreamContext) -> None:
    await jetstream.purge_stream(STREAM)


async def _purge_the_newest_subject(jetstream: JetStreamContext) -> None:
    await jetstream.purge_stream(STREAM, subject="claims.cyber-care.claim.CL-19")


async def _reach_limits(jetstream: JetStreamContext) -> None:
    await alter(jetstream, max_msgs=3)


async def _make_anew(jetstream: JetStreamContext) -> None:
    await jetstream.delete_stream(STREAM)
    await jetstream.add_stream(name=STREAM, subjects=[subjects_of("cyber-care")], num_replicas=3)


async def _delete(jetstream: JetStreamContext) -> None:
    await jetstream.delete_stream(STREAM)


@pytest.mark.parametrize("while_it_runs", [False, True])
@pytest.mark.parametrize(
    ("loses", "left"),
    [
        (_delete_newest, list(range(19))),
        (_delete_the_newest_ten, list(range(10))),
        (_purge_all, []),
        (_purge_the_newest_subject, list(range(19))),
        (_reach_limits, None),
        (_make_anew, []),
        (_delete, []),
    ],
)
def test_fault_07_it_goes_on_whatever_of_the_stream_is_gone(
    desk: Desk,
    broker: Broker,
    loses: Callable[[JetStreamContext], Awaitable[None]],
    left: list[int] | None,
    *,
    while_it_runs: bool,
) -> None:
    desk.subscriptions.add_relay("bus", STREAM, after=-1)
    desk.record(*range(20))
    with desk.delivering(terms(broker)):
        eventually(lambda: lag(desk) == 0)
        if while_it_runs:
            asyncio.run(at(broker, loses))
            desk.record(*range(20))
            eventually(lambda: lag(desk) == 0, seconds=60)
    if not while_it_runs:
        asyncio.run(at(broker, loses))
        desk.record(*range(20))
        with desk.delivering(terms(broker)):
            eventually(lambda: lag(desk) == 0, seconds=60)
    expected = [37, 38, 39] if left is None else [*left, *range(20, 40)]
    assert [int(event["sequence"]) for _, _, event in read_relay(broker, len(expected))] == expected
    assert asyncio.run(messages_in(broker)) == len(expected)
    assert desk.subscriptions.one("bus").subscription.told is None


def test_fault_07_what_its_readers_have_taken_out_is_not_put_back(desk: Desk, broker: Broker) -> None:
    async def make(jetstream: JetStreamContext) -> None:
        await jetstream.add_stream(
            name=STREAM, subjects=[subjects_of("cyber-care")], retention="workqueue", duplicate_window=0.2
        )

    async def take_but_the_first(jetstream: JetStreamContext) -> None:
        reading = await jetstream.pull_subscribe(subjects_of("cyber-care"), durable="reader", stream=STREAM)
        for message in (await reading.fetch(10, timeout=20))[1:]:
            await message.ack_sync()

    asyncio.run(at(broker, make))
    desk.subscriptions.add_relay("bus", STREAM, after=-1)
    desk.record(*range(10))
    with desk.delivering(terms(broker)):
        eventually(lambda: lag(desk) == 0)
    asyncio.run(at(broker, take_but_the_first))
    desk.record(*range(5))
    with desk.delivering(terms(broker)):
        eventually(lambda: lag(desk) == 0)
    assert asyncio.run(messages_in(broker)) == 1 + 5


def test_fault_07_a_full_stream_is_waited_for_and_told_of(desk: Desk, broker: Broker) -> None:
    desk.subscriptions.add_relay("bus", STREAM, after=-1)
    desk.record(1)
    with desk.delivering(terms(broker)):
        eventually(lambda: lag(desk) == 0)
        asyncio.run(at(broker, lambda jetstream: alter(jetstream, max_msgs=5, discard="new")))
        desk.record(*range(20))
        eventually(lambda: "maximum messages" in str(desk.subscriptions.one("bus").subscription.told))
        assert lag(desk) == 16
        asyncio.run(at(broker, lambda jetstream: alter(jetstream, max_msgs=-1)))
        eventually(lambda: lag(desk) == 0)
    assert [int(event["sequence"]) for _, _, event in read_relay(broker, 21)] == list(range(21))


def test_fault_07_other_subjects_of_the_stream_are_told_of_and_waited_for(desk: Desk, broker: Broker) -> None:
    desk.subscriptions.add_relay("bus", STREAM, after=-1)
    desk.record(1)
    with desk.delivering(terms(broker)):
        eventually(lambda: lag(desk) == 0)
        asyncio.run(at(broker, lambda jetstream: alter(jetstream, subjects=["others.>"])))
        desk.record(2, 3)
        eventually(lambda: "no stream takes" in str(desk.subscriptions.one("bus").subscription.told))
        asyncio.run(at(broker, lambda jetstream: alter(jetstream, subjects=[subjects_of("cyber-care")])))
        eventually(lambda: lag(desk) == 0)
    assert [int(event["sequence"]) for _, _, event in read_relay(broker, 3)] == [0, 1, 2]


@pytest.mark.parametrize("limits", ["max_msg_size", "max_msgs_per_subject"])
def test_fault_07_a_message_that_is_not_taken_is_parked_with_its_contract_and_others_go_on(
    desk: Desk, broker: Broker, limits: str
) -> None:
    large = 10**40
    desk.subscriptions.add_relay("bus", STREAM, after=-1)
    desk.record(1, 2)
    with desk.delivering(terms(broker)):
        eventually(lambda: lag(desk) == 0)
        size = asyncio.run(at(broker, bytes_of_the_first))
        if limits == "max_msg_size":
            asyncio.run(at(broker, lambda jetstream: alter(jetstream, max_msg_size=size + 20)))
        else:
            desk.record(large)
            eventually(lambda: lag(desk) == 0)
            asyncio.run(
                at(
                    broker,
                    lambda jetstream: alter(
                        jetstream, max_msgs_per_subject=2, discard="new", discard_new_per_subject=True,
                        max_msgs=1_000,
                    ),
                )
            )  # fmt: skip
            desk.record(large)
        desk.record(large, 3, large, 4)
        eventually(lambda: lag(desk) == 0)
        eventually(lambda: desk.subscriptions.one("bus").backlog.parked == 2)
        first, second = desk.subscriptions.kept("bus")
        assert first.told
        assert first.contract == second.contract
    desk.record(5)
    with desk.delivering(terms(broker)):
        eventually(lambda: lag(desk) == 0)
        assert desk.subscriptions.one("bus").backlog.parked == 2
        wide = {"max_msg_size": -1, "max_msgs_per_subject": -1, "discard_new_per_subject": False}
        asyncio.run(at(broker, lambda jetstream: alter(jetstream, **wide)))
        assert desk.subscriptions.replay_parked("bus") == 2
        eventually(lambda: desk.subscriptions.kept("bus") == [])
    count = desk.subscriptions.one("bus").subscription.position + 1
    with desk.delivering(terms(broker)):
        desk.record(6)
        eventually(lambda: lag(desk) == 0)
    found = [int(event["sequence"]) for _, _, event in read_relay(broker, count + 1)]
    assert found[-3:] == [first.position, second.position, count], "sent late, and nothing again after it"
    assert sorted(found) == list(range(count + 1))
    assert asyncio.run(messages_in(broker)) == count + 1


def test_a_broker_that_is_away_is_waited_for_and_told_of(desk: Desk, broker: Broker) -> None:
    nowhere = DispatchSettings(nats_servers=("nats://ada:secret@127.0.0.1:1",))
    desk.subscriptions.add_relay("bus", STREAM, after=-1)
    desk.record(1, 2)
    with desk.delivering(nowhere):
        eventually(lambda: desk.subscriptions.one("bus").subscription.told is not None)
    told = str(desk.subscriptions.one("bus").subscription.told)
    assert "no server of COVERLEDGER_NATS takes the connection" in told
    assert "secret" not in told
    with desk.delivering(terms(broker)):
        eventually(lambda: lag(desk) == 0)
    assert desk.subscriptions.one("bus").subscription.told is None


def test_subjects_keep_to_what_a_token_may_hold() -> None:
    assert subject_of("cyber-care", "claim", "K-1") == "claims.cyber-care.claim.K-1"
    assert subject_of("a.b", "contract", "C 1.*>é/") == "claims.a%2Eb.contract.C%201%2E%2A%3E%C3%A9%2F"
