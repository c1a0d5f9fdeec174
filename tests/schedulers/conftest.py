"""A second simulated book beside the first, in the same database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from coverledger.composition import opened
from fixtures.database import Database
from fixtures.program import settings_of
from ledger.app import App
from ledger.config import Settings


@pytest.fixture
def another(database: Database, tmp_path: Path) -> Iterator[App]:
    settings = Settings.load(home=tmp_path / "home", **settings_of(database))
    with opened("another", settings, kind="simulated") as wiring:
        yield wiring
