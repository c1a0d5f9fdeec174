"""The relay to NATS JetStream, on a real cluster of three nodes: every event once, in order, whoever dies."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import nats
import pytest

from fixtures.broker import Broker, broker_running
from fixtures.subscribed import Desk, eventually
from ledger.feed.subscriptions.dispatch import Terms
from ledger.feed.subscriptions.subjects import subject_of, subjects_of

pytestmark = pytest.mark.test_all

STREAM = "claims-cyber-care"


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


def terms(broker: Broker) -> Terms:
    return Terms(nats_servers=broker.urls.split())


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


def test_a_broker_that_is_away_is_waited_for_and_told_of(desk: Desk, broker: Broker) -> None:
    nowhere = Terms(nats_servers=("nats://ada:secret@127.0.0.1:1",))
    desk.subscriptions.add_relay("bus", STREAM, after=-1)
    desk.record(1, 2)
    with desk.delivering(nowhere):
        eventually(lambda: desk.subscriptions.one("bus").subscription.told is not None)
    told = str(desk.subscriptions.one("bus").subscription.told)
    assert "no server of CLAIMS_LEDGER_NATS takes the connection" in told
    assert "secret" not in told
    with desk.delivering(terms(broker)):
        eventually(lambda: lag(desk) == 0)
    assert desk.subscriptions.one("bus").subscription.told is None


def test_subjects_keep_to_what_a_token_may_hold() -> None:
    assert subject_of("cyber-care", "claim", "K-1") == "claims.cyber-care.claim.K-1"
    assert subject_of("a.b", "contract", "C 1.*>é/") == "claims.a%2Eb.contract.C%201%2E%2A%3E%C3%A9%2F"
