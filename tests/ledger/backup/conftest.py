"""A ledger in the real program, with some contracts to lose and to bring back."""

from pathlib import Path

import pytest
from restoring_desk import Desk

from fixtures.database import Database
from fixtures.program import Program


@pytest.fixture
def desk(program: Program, tmp_path: Path) -> Desk:
    return Desk(program, tmp_path, tmp_path / "home")


@pytest.fixture
def dsn(database: Database) -> str:
    return database.superuser_dsn
