"""A recorded book for the tests of the read side that need a database."""

from pathlib import Path

import pytest
from recorded_book import RecordedBook
from typed import Typed

from fixtures.database import Database
from fixtures.program import settings_of
from ledger.store.books import Books
from ledger.store.event_store import EventStore
from ledger.store.pool import Pool


@pytest.fixture
def recorded(pool: Pool, sealer_pool: Pool, event_store: EventStore, books: Books) -> RecordedBook:
    return RecordedBook.opened(pool, sealer_pool, event_store, books)


@pytest.fixture
def typed(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typed:
    """The command line on a migrated database with nothing in it."""
    monkeypatch.setenv("CLAIMS_LEDGER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_COLOR", "1")
    for name, dsn in settings_of(database).items():
        monkeypatch.setenv(f"CLAIMS_LEDGER_{name.upper()}", dsn)
    return Typed(capsys)
