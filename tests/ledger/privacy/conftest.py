"""A recorded book with persons in it."""

import pytest
from acquaintances import record

from ledger.app import App
from ledger.privacy.access import Access
from ledger.privacy.erasure import Erasures


@pytest.fixture
def book(wiring: App) -> App:
    record(wiring)
    return wiring


@pytest.fixture
def erasures(book: App) -> Erasures:
    return Erasures(book.ledger)


@pytest.fixture
def desk() -> Access:
    return Access("desk-17", "subject erase", "letter 4711")
