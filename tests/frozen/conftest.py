"""The frozen ledger, opened once a session by the code of today; each test has a copy of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import pytest
from psycopg2.extensions import make_dsn

from fixtures.memory import database_strategy
from fixtures.server import PostgresServer
from frozen.opening import PRESENT, Frozen, drop_database, execute, kept, restore_database, unpack
from frozen.running import environment, typed
from frozen.standing_clock import StandingClock
from frozen.transcripts import Asking


@dataclass(frozen=True, slots=True)
class Opened:
    """The frozen ledger as the code of today brought it up to date; nobody writes into it."""

    server_dsn: str
    name: str
    migrations: list[str]
    """Those of today that it lacked."""


@pytest.fixture(scope="session")
def opened_once(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Opened]:
    server = postgres_server.superuser_dsn
    name, dsn = restore_database(server)
    home = unpack("home.tar.xz", tmp_path_factory.mktemp("frozen") / "home")
    with environment(Frozen(name, dsn, home, name).settings):
        migrated = typed("migrate")
    assert migrated.code == 0, migrated.err
    yield Opened(server, name, migrated.out.splitlines())
    drop_database(server, name)


@pytest.fixture
def frozen(opened_once: Opened, tmp_path: Path) -> Iterator[Frozen]:
    """A copy of the frozen ledger that stands at the instant of its freezing, and its settings in force."""
    with copied(opened_once, tmp_path) as asking, environment(asking.settings):
        yield asking.frozen


@contextmanager
def copied(once: Opened, work: Path) -> Iterator[Asking]:
    name = f"{once.name}_{token_hex(3)}"
    execute(
        once.server_dsn,
        f"create database {name} owner {once.name}_owner_login template {once.name} "
        f"strategy {database_strategy()}",
    )
    dsn = make_dsn(once.server_dsn, dbname=name)
    try:
        StandingClock(dsn, PRESENT)
        unpack("home.tar.xz", work / "home")
        unpack("outside.tar.xz", work / "outside")
        yield Asking(Frozen(name, dsn, work / "home", once.name), work, kept("tokens.json")["tokens"])
    finally:
        drop_database(once.server_dsn, name, roles=False)
