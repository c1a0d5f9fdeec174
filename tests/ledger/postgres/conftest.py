"""A home for each test, and the proof that nothing that ran in it is left."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_homes import AS_ROOT, eventually, is_deserted, processes_of

from ledger.postgres import EmbeddedPostgres


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that does not exist yet, in a folder that everybody may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="coverledger-home-"))
    folder.chmod(0o711 if AS_ROOT else 0o700)
    try:
        yield folder / "home"
        if (folder / "home" / "postgres").exists():
            assert eventually(lambda: is_deserted(folder / "home")), processes_of(folder / "home")
            EmbeddedPostgres(folder / "home").remove()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def shared_dsn() -> Iterator[str]:
    """An embedded server that the tests of a module only look at."""
    folder = Path(tempfile.mkdtemp(prefix="coverledger-home-"))
    folder.chmod(0o711 if AS_ROOT else 0o700)
    try:
        with EmbeddedPostgres(folder).join() as server:
            yield server.superuser_dsn
    finally:
        shutil.rmtree(folder)
