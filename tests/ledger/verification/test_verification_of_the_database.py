"""The database against its log: what is sound passes whichever way it is read, what is not is named."""

from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from fixtures.database import Database, execute
from fixtures.signed_book import fault_found, record_signed_book, seal_and_sign, verified
from ledger.app import App
from ledger.proofs.errors import BadNote, KeyFileRefused
from ledger.sealing.epochs import begin_epoch
from ledger.sealing.key_files import rotate_keys
from ledger.store.log import newest_checkpoint
from ledger.verification import chunks
from ledger.verification import database as audit
from ledger.verification.database import verify_database
from ledger.verification.findings import LessProven, NotVerified
from ledger.verification.rows import Differs
from ledger.verification.trust_anchors import anchors_beside_key, anchors_given

GUARDED = ("events", "log", "log_nodes", "checkpoints", "epochs")


def unguard(database: Database) -> None:
    execute(database.superuser_dsn, *(f"alter table ledger.{t} disable trigger append_only" for t in GUARDED))


def head(wiring: App) -> str:
    with wiring.pool.connection() as connection:
        return newest_checkpoint(connection, wiring.book) or ""


def test_a_book_without_events_verifies(simulated: App) -> None:
    proof = verified(simulated)
    assert (proof.size, proof.streams, proof.heads, proof.waiting) == (0, 0, 0, 0)


def test_a_sound_book_verifies_whole_and_says_what_is_not_covered_yet(simulated: App) -> None:
    record_signed_book(simulated, seed=1, waiting=20)
    proof = verified(simulated)
    assert proof.size == proof.proven
    assert proof.waiting > 0
    assert proof.heads > 3
    simulated.sealer.seal_all()
    later = verified(simulated)
    assert (later.proven, later.size) == (proof.size, proof.size + proof.waiting)
    assert later.waiting == 0


def test_the_slow_way_and_the_fast_way_come_to_the_same(
    simulated: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_signed_book(simulated, seed=2)
    fast = verified(simulated)

    def never(*_: object) -> None:
        raise Differs

    monkeypatch.setattr(audit, "check_rows", never)
    assert verified(simulated) == fast


def test_memory_is_bounded_and_the_answer_is_the_same(
    simulated: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_signed_book(simulated, seed=3, steps=40)
    whole = verified(simulated)
    for portion in (2, 16, 64):
        for streams_kept in (0, 2, 1_000):
            monkeypatch.setattr(chunks, "CHUNK_POSITIONS", portion)
            assert verified(simulated, streams_kept) == whole


def test_heads_verify_with_the_key_that_signed_them_after_a_rotation(simulated: App) -> None:
    record_signed_book(simulated, seed=4, waiting=20)
    place = simulated.signing_place
    old_key = place.keys().signer.verifier_key
    kept = place.kept(place.keys())
    assert kept is not None
    rotate_keys(place.key, kept.size)
    seal_and_sign(simulated)
    proof = verified(simulated)
    assert proof.proven == proof.size > kept.size
    with pytest.raises(NotVerified, match="not signed by a trusted key"):
        verify_database(simulated.pool, simulated.book, anchors_given([old_key]))


def test_a_retired_key_does_not_count_for_heads_that_it_did_not_sign(simulated: App) -> None:
    record_signed_book(simulated, seed=4, waiting=20)
    place = simulated.signing_place
    keys = place.keys()
    kept = place.kept(keys)
    assert kept is not None
    simulated.sealer.seal_all()
    simulated.signer.sign()  # by the old key, and a larger size than the rotation will say that it signed
    rotate_keys(place.key, kept.size)
    place.head.unlink()
    with pytest.raises(NotVerified, match="trusted key"):
        verified(simulated)


def test_a_machine_without_the_key_is_told_to_give_one(simulated: App) -> None:
    record_signed_book(simulated, seed=5, steps=20)
    key = simulated.signing_place.keys().signer.verifier_key
    simulated.signing_place.key.unlink()
    simulated.signing_place.head.unlink()
    with pytest.raises(KeyFileRefused, match="--key"):
        verified(simulated)
    assert verify_database(simulated.pool, simulated.book, anchors_given([key])).size > 0


def test_the_log_is_held_to_a_head_kept_elsewhere(simulated: App, database: Database) -> None:
    record_signed_book(simulated, seed=6, waiting=20)
    old = head(simulated)
    seal_and_sign(simulated)
    place = simulated.signing_place
    assert verify_database(simulated.pool, simulated.book, anchors_beside_key(place, [old])).size > 0
    with pytest.raises(BadNote):
        anchors_beside_key(place, [old.replace("—", "-")])
    # Somebody who holds the key signs another history: nothing in the database tells, the head kept does.
    unguard(database)
    size = int(old.splitlines()[1])
    execute(database.superuser_dsn, f"delete from ledger.checkpoints where size = {size}")
    keys = place.keys().verifier_keys
    with pytest.raises(NotVerified, match="has no such head"):
        verify_database(simulated.pool, simulated.book, anchors_given(keys, [old]))


def test_a_database_that_is_older_than_the_head_kept_is_refused(simulated: App, database: Database) -> None:
    record_signed_book(simulated, seed=7)
    size = verified(simulated).size
    unguard(database)
    put_back(database, size - 3)
    fault = fault_found(simulated)
    assert isinstance(fault, NotVerified)
    assert fault.position == size - 3
    assert f"it has {size} events, the database only {size - 3}" in fault.reason


def test_after_a_restore_both_epochs_verify_and_only_what_was_lost_is_let_go(
    simulated: App, database: Database
) -> None:
    record_signed_book(simulated, seed=8, waiting=20)
    size = verified(simulated).size
    old = head(simulated)
    seal_and_sign(simulated)
    lost = head(simulated)
    unguard(database)
    put_back(database, size)
    begun = begin_epoch(simulated.sealer_pool, simulated.book, simulated.signing_place, "a restore")
    assert begun is not None
    place = simulated.signing_place
    with pytest.raises(LessProven, match="not covered by this log"):
        verify_database(simulated.pool, simulated.book, anchors_beside_key(place, [old, lost]))
    proof = verify_database(simulated.pool, simulated.book, anchors_beside_key(place, [old]))
    assert (proof.size, proof.proven) == (size, size)
    assert proof.origin.endswith("/epoch-2")
    execute(database.superuser_dsn, "update ledger.epochs set from_position = 0 where epoch = 2")
    with pytest.raises(NotVerified, match="kept beside the key"):
        verify_database(simulated.pool, simulated.book, anchors_beside_key(place))


def test_a_fork_is_found_by_the_head_that_was_kept(
    simulated: App, database: Database, tmp_path: Path
) -> None:
    record_signed_book(simulated, seed=9)
    kept = head(simulated)
    other = tmp_path / "other.checkpoint"
    other.write_text(kept, encoding="utf-8")
    unguard(database)
    with closing(psycopg2.connect(database.superuser_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("update ledger.log set sealed_at = sealed_at - interval '1 day' where position = 0")
        connection.commit()
    # The instant of sealing stands in no leaf: only its order is held (docs/audit.md says so).
    assert fault_found(simulated) is None
    execute(
        database.superuser_dsn,
        "update ledger.log set sealed_at = sealed_at + interval '9 days' where position = 0",
    )
    fault = fault_found(simulated)
    assert isinstance(fault, NotVerified)
    assert fault.position == 1


def test_what_is_sealed_while_a_pass_runs_is_not_in_its_picture(
    simulated: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_signed_book(simulated, seed=10, waiting=20)
    monkeypatch.setattr(chunks, "CHUNK_POSITIONS", 16)
    outside = anchors_beside_key(simulated.signing_place)
    sealed = False

    def seal_meanwhile(_done: int, _total: int) -> None:
        nonlocal sealed
        if not sealed:
            sealed = True
            seal_and_sign(simulated)

    before = verified(simulated)
    during = verify_database(simulated.pool, simulated.book, outside, progress=seal_meanwhile)
    assert during == before
    assert verified(simulated).size == before.size + before.waiting


def put_back(database: Database, size: int) -> None:
    """Put the log back to a size that it had, as an older backup would."""
    execute(
        database.superuser_dsn,
        "delete from ledger.pending",
        "delete from ledger.events e where not exists (select from ledger.log l where"
        f" l.stream_id = e.stream_id and l.version = e.version and l.position < {size})",
        f"delete from ledger.log where position >= {size}",
        f"delete from ledger.log_nodes where (index + 1) << level > {size}",
        f"delete from ledger.checkpoints where size > {size}",
    )
