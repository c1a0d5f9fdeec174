"""The store, both of its ways to the server."""

import pytest

from fixtures.database import BOOK
from ledger.store.books import Books
from ledger.store.event_store import EventStore
from ledger.store.keys import MasterKeys
from ledger.store.pool import Pool


@pytest.fixture(params=[True, False], ids=["prepared", "unprepared"])
def event_store(pool: Pool, books: Books, masters: MasterKeys, request: pytest.FixtureRequest) -> EventStore:
    """Whether its statements are kept prepared or go through a pooler, it does the same."""
    assert books.names() == [BOOK]
    return EventStore(pool, masters, prepares=request.param)
