"""A book with its sealer, its signer and the files beside the database."""

from collections.abc import Callable
from pathlib import Path

import pytest
from signed_log import Log

from fixtures.database import BOOK, Database, execute
from ledger.sealing.sealer import Sealer
from ledger.sealing.signer import Signer
from ledger.sealing.signing_keys import SigningFiles
from ledger.store.event_store import EventStore
from ledger.store.pool import Pool


@pytest.fixture
def place(tmp_path: Path) -> SigningFiles:
    return SigningFiles(tmp_path / "keys" / "signing.key")


@pytest.fixture
def make_log(event_store: EventStore, sealer_pool: Pool) -> Callable[[SigningFiles], Log]:
    """Make the log as a program sees it that has just started."""

    def make(place: SigningFiles) -> Log:
        signer = Signer(sealer_pool, BOOK, place)
        return Log(event_store, sealer_pool, Sealer(sealer_pool, BOOK, signer=signer), signer, place)

    return make


@pytest.fixture
def log(make_log: Callable[[SigningFiles], Log], place: SigningFiles) -> Log:
    return make_log(place)


@pytest.fixture
def put_back(database: Database) -> Callable[[int], None]:
    """Put the log of the database back to a size that it had, as an older base backup would."""

    def put(size: int) -> None:
        tables = ("events", "log", "log_nodes", "checkpoints", "commands")
        execute(
            database.superuser_dsn,
            *(f"alter table ledger.{table} disable trigger append_only" for table in tables),
            "delete from ledger.pending",
            "delete from ledger.events e where not exists (select from ledger.log l "
            "where (l.book, l.stream_id, l.version) = (e.book, e.stream_id, e.version) "
            f"and l.position < {size})",
            "delete from ledger.commands c where not exists (select from ledger.events e "
            "where (e.book, e.command_id) = (c.book, c.command_id))",
            f"delete from ledger.log where position >= {size}",
            f"delete from ledger.log_nodes where (index + 1) << level > {size}",
            f"delete from ledger.checkpoints where size > {size}",
            f"update ledger.followers set position = {size - 1} where position >= {size}",
            *(f"alter table ledger.{table} enable always trigger append_only" for table in tables),
        )

    return put
