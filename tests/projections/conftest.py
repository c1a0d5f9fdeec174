"""A recorded book for the tests of the read side that need a database."""

from pathlib import Path

import pytest
from recorded_book import RecordedBook
from typed import Typed

from fixtures.database import Database
from fixtures.program import WINDOW, settings_of
from ledger.app import App


@pytest.fixture
def recorded(simulated: App) -> RecordedBook:
    """A simulated book, since the desks of the histories live in the past and in the future."""
    return RecordedBook(simulated)


@pytest.fixture
def typed(
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    founded: None,  # noqa: ARG001  # the book is there
) -> Typed:
    """The command line on a book in which nothing has happened."""
    monkeypatch.setenv("COVERLEDGER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_COLOR", "1")
    for name in WINDOW:
        monkeypatch.delenv(name, raising=False)
    for name, dsn in settings_of(database).items():
        monkeypatch.setenv(f"COVERLEDGER_{name.upper()}", dsn)
    return Typed(capsys)
