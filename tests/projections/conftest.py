"""A recorded book for the tests of the read side that need a database."""

import pytest
from recorded_book import RecordedBook

from ledger.store.books import Books
from ledger.store.event_store import EventStore
from ledger.store.pool import Pool


@pytest.fixture
def recorded(pool: Pool, sealer_pool: Pool, event_store: EventStore, books: Books) -> RecordedBook:
    return RecordedBook.opened(pool, sealer_pool, event_store, books)
