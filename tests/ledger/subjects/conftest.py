"""A recorded book with persons in it."""

import pytest
from acquaintances import record

from ledger.privacy.access import Access
from ledger.privacy.erasure import Erasures
from ledger.wiring import Wiring


@pytest.fixture
def book(wiring: Wiring) -> Wiring:
    record(wiring)
    return wiring


@pytest.fixture
def erasures(book: Wiring) -> Erasures:
    return Erasures(book.store, book.pool, book.book)


@pytest.fixture
def desk() -> Access:
    return Access("desk-17", "subject erase", "letter 4711")
