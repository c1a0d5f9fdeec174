"""On a broken log, halt rather than guess: nothing is sealed that does not extend what was signed."""

from collections.abc import Callable
from pathlib import Path
from threading import Event as StopEvent

import pytest
from signed_log import Log

from fixtures.database import BOOK, Database, execute
from ledger.proofs.errors import KeyFileRefused, LogForked
from ledger.proofs.notes import Ed25519PrivateKey, Ed25519Signer, sign_note
from ledger.sealing.sealer import Sealer
from ledger.sealing.signing_keys import SigningFiles
from ledger.store.errors import LogBroken
from ledger.store.sealing import any_pending

MakeLog = Callable[[SigningFiles], Log]


def pending(log: Log) -> bool:
    with log.pool.connection() as connection:
        return any_pending(connection, BOOK)


def freely(database: Database, table: str, statement: str) -> None:
    """Do as a superuser what the triggers refuse."""
    execute(
        database.superuser_dsn,
        f"alter table ledger.{table} disable trigger append_only",
        statement,
        f"alter table ledger.{table} enable always trigger append_only",
    )


def test_a_log_whose_signed_part_was_changed_is_not_signed_and_what_is_recorded_waits(
    log: Log, make_log: MakeLog, database: Database
) -> None:
    log.grow("a", "b", "c", "d")
    freely(
        database, "log_nodes", "update ledger.log_nodes set hash = sha256('another history') where level = 2"
    )
    again = make_log(log.place)
    again.record("e")
    with pytest.raises(LogForked, match=r"is forked .*nothing is sealed or signed; .*restore --accept"):
        again.sealer.keep_up()
    assert pending(log)


def test_a_sealer_that_runs_halts_loudly(log: Log, make_log: MakeLog, database: Database) -> None:
    log.grow("a", "b")
    freely(database, "log_nodes", "update ledger.log_nodes set hash = sha256('another history')")
    again = make_log(log.place)
    again.record("c")
    with pytest.raises(LogForked, match="2 events is forked"):
        again.sealer.run(StopEvent())
    assert pending(log)


def test_a_fork_while_the_sealer_runs_is_found_before_the_next_head(log: Log, database: Database) -> None:
    log.grow("a", "b")
    freely(database, "log_nodes", "update ledger.log_nodes set hash = sha256('another history')")
    log.record("c")
    log.sealer.seal_once()
    with pytest.raises(LogForked):
        log.signer.sign()


def test_a_database_put_back_beside_a_newer_head_is_refused_with_both_sizes(
    log: Log, make_log: MakeLog, put_back: Callable[[int], None]
) -> None:
    log.grow("a", "b", "c")
    log.grow("d", "e")
    put_back(3)
    again = make_log(log.place)
    again.record("f")
    with pytest.raises(
        LogForked, match="has 3 events, but a head of 5 has been signed: the database is older"
    ):
        again.sealer.keep_up()
    assert pending(log)


def test_a_database_put_back_and_grown_again_to_the_same_size_is_refused(
    log: Log, make_log: MakeLog, put_back: Callable[[int], None]
) -> None:
    log.grow("a", "b", "c")
    log.grow("d", "e")
    put_back(3)
    log.record("x", "y")
    Sealer(log.pool, BOOK).seal_all()
    with pytest.raises(LogForked, match="of 5 events is forked"):
        make_log(log.place).sealer.keep_up()


def test_a_key_that_was_lost_is_not_made_anew(log: Log, make_log: MakeLog) -> None:
    log.grow("a")
    log.place.key.unlink()
    with pytest.raises(
        KeyFileRefused, match="is missing: restore it from its copy; on a machine that leaves"
    ):
        make_log(log.place).sealer.keep_up()


def test_a_key_of_another_machine_does_not_sign_here(log: Log, make_log: MakeLog, tmp_path: Path) -> None:
    log.grow("a")
    other = SigningFiles(tmp_path / "other.key")
    other.create_keys(log.place.keys().signer.name)
    with pytest.raises(LogForked, match="is not signed by this log's key"):
        make_log(other).sealer.keep_up()


def test_a_key_open_to_others_is_not_used(log: Log, make_log: MakeLog) -> None:
    log.grow("a")
    log.place.key.chmod(0o640)
    with pytest.raises(KeyFileRefused, match="chmod 600"):
        make_log(log.place).sealer.keep_up()


def test_a_head_kept_that_somebody_else_signed_is_no_head_of_ours(log: Log, make_log: MakeLog) -> None:
    log.grow("a")
    text, _, _ = log.place.kept_note().partition("\n\n")
    forger = Ed25519Signer(log.place.keys().signer.name, Ed25519PrivateKey.generate())
    log.place.keep(sign_note(text + "\n", [forger]))
    with pytest.raises(KeyFileRefused, match="is not a head signed by this log's key"):
        make_log(log.place).sealer.keep_up()


def test_nodes_beyond_the_log_stop_the_sealer(log: Log, make_log: MakeLog, database: Database) -> None:
    log.grow("a")
    execute(database.superuser_dsn, f"insert into ledger.log_nodes values ('{BOOK}', 1, 7, sha256('x'))")
    again = make_log(log.place)
    again.record("b")
    with pytest.raises(LogBroken, match="nodes for 16 events"):
        again.sealer.keep_up()
