"""A desk whose events go to webhooks."""

from collections.abc import Iterator

import pytest

from fixtures.database import BOOK
from fixtures.receiver import Receiver, receiving
from fixtures.subscribed import Desk
from ledger.store.event_store import EventStore
from ledger.store.pool import Pool


@pytest.fixture
def desk(event_store: EventStore, pool: Pool, sealer_pool: Pool) -> Desk:
    return Desk(event_store, pool, sealer_pool, BOOK)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
