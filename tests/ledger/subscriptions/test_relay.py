"""The relay to NATS JetStream, on a real cluster of three nodes: every event once, in order, whoever dies."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nats
import pytest

from fixtures.broker import Broker, broker_running
from fixtures.subscribed import Desk, eventually
from ledger.feed.subscriptions.dispatch import Terms
from ledger.feed.subscriptions.subjects import subjects_of

pytestmark = pytest.mark.test_all

STREAM = "claims-cyber-care"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with broker_running(tmp_path / "broker") as broker:
        yield broker


def terms(broker: Broker) -> Terms:
    return Terms(nats_servers=broker.urls.split())


def read_relay(broker: Broker, count: int) -> list[tuple[str, str, dict[str, Any]]]:
    """Subject, message id and event of the stream's first messages, as a client not ours reads them."""

    async def read() -> list[tuple[str, str, dict[str, Any]]]:
        servers = [node.url for node in broker.nodes if node.running is not None]
        client = await nats.connect(servers)
        try:
            reading = await client.jetstream().subscribe(subjects_of("cyber-care"), ordered_consumer=True)
            found = []
            while len(found) < count:
                message = await reading.next_msg(timeout=10)
                assert message.headers is not None
                found.append((message.subject, message.headers["Nats-Msg-Id"], json.loads(message.data)))
            return found
        finally:
            await client.close()

    return asyncio.run(read())


def test_a_nats_client_reads_every_event_once_and_in_order_though_the_leader_is_killed(
    desk: Desk, broker: Broker
) -> None:
    desk.subscriptions.add_relay("bus", STREAM, after=-1)
    desk.record(*(number % 20 for number in range(2_000)))
    with desk.delivering(terms(broker)):
        eventually(lambda: desk.subscriptions.one("bus").subscription.position >= 500)
        leader = broker.leader_of(STREAM)
        assert leader is not None
        leader.kill()
        desk.record(*(number % 20 for number in range(2_000)))
        eventually(lambda: desk.subscriptions.one("bus").lag == 0, seconds=60)
        leader.start()
    found = read_relay(broker, 4_000)
    assert [int(event["sequence"]) for _, _, event in found] == list(range(4_000))
    assert all(message_id == event["id"] for _, message_id, event in found)
    assert found[3][0] == "claims.cyber-care.claim.CL-3"
    with pytest.raises(nats.errors.TimeoutError):
        read_relay(broker, 4_001)
