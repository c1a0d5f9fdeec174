"""What is sealed is signed, each head extends the one before, and any two of them are shown to."""

from collections.abc import Callable
from itertools import combinations
from threading import Event as StopEvent
from threading import Thread

import pytest
from signed_log import Log

from fixtures.commits import advice, append, claim, commit, new_event
from fixtures.database import BOOK, ORIGIN
from ledger.proofs.checkpoints import open_checkpoint
from ledger.proofs.merkle import consistency_proof, frontier_nodes, root_of, verify_consistency
from ledger.sealing.checkpoints import nodes_of
from ledger.sealing.sealer import Sealer
from ledger.sealing.signing_keys import SigningFiles
from ledger.store.pool import Pool


def leaf_hashes(pool: Pool) -> list[bytes]:
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select leaf_hash from ledger.log where book = %s order by position", (BOOK,))
        return [bytes(leaf) for (leaf,) in cursor.fetchall()]


def notes(pool: Pool) -> list[str]:
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select note from ledger.checkpoints where book = %s order by size", (BOOK,))
        return [note for (note,) in cursor.fetchall()]


def stored_nodes(pool: Pool) -> set[tuple[int, int]]:
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select level, index from ledger.log_nodes where book = %s", (BOOK,))
        return set(cursor.fetchall())


def test_a_head_is_signed_by_the_log_s_own_key_and_kept_beside_it(log: Log) -> None:
    log.grow("a", "b", "c")
    keys = log.place.keys()
    [note] = notes(log.pool)
    head = open_checkpoint(note, keys.verifier_keys)
    assert (head.origin, head.size, head.root) == (ORIGIN, 3, root_of(leaf_hashes(log.pool)))
    assert log.place.kept(keys) == head
    assert log.place.kept_note() == note
    assert {file.stat().st_mode & 0o777 for file in log.place.key.parent.iterdir()} == {0o600}


def test_any_two_heads_of_a_growing_log_are_shown_to_be_consistent(log: Log) -> None:
    for number in range(12):
        log.grow(*(f"{number}.{n}" for n in range(1 + number % 4)))
    keys = log.place.keys().verifier_keys
    heads = [open_checkpoint(note, keys) for note in notes(log.pool)]
    assert len(heads) == 12
    with log.pool.connection() as connection:
        nodes = nodes_of(connection, BOOK)
        for old, new in combinations(heads, 2):
            proof = consistency_proof(old.size, new.size, nodes)
            verify_consistency(old.size, new.size, old.root, new.root, proof)


def test_exactly_the_complete_nodes_are_stored(log: Log) -> None:
    for number in range(9):
        log.grow(*(f"{number}.{n}" for n in range(1 + number)))
    size = len(leaf_hashes(log.pool))
    complete = {(level, index) for level in range(1, size.bit_length()) for index in range(size >> level)}
    assert stored_nodes(log.pool) == complete
    assert {tuple(node) for node in frontier_nodes(size) if node.level} <= complete


def test_nothing_is_signed_while_nothing_is_sealed_and_once_where_nothing_is_new(log: Log) -> None:
    assert log.signer.sign() is None
    log.grow("a")
    assert log.signer.sign() is None
    assert len(notes(log.pool)) == 1


def test_what_was_sealed_without_its_nodes_gets_them_before_the_next_head(
    log: Log, sealer_pool: Pool
) -> None:
    log.record("a", "b", "c", "d", "e")
    Sealer(sealer_pool, BOOK, grow=None).seal_all()
    assert stored_nodes(sealer_pool) == set()
    log.grow("f")
    assert stored_nodes(sealer_pool) == {(1, 0), (1, 1), (1, 2), (2, 0)}
    assert open_checkpoint(notes(sealer_pool)[-1], log.place.keys().verifier_keys).root == root_of(
        leaf_hashes(sealer_pool)
    )


def test_a_head_that_was_kept_and_not_published_is_published_as_it_was(
    log: Log, make_log: Callable[..., Log]
) -> None:
    log.grow("a")
    log.record("b")
    Sealer(log.pool, BOOK).seal_all()
    broken = make_log(log.place)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("ledger.sealing.signer.insert_checkpoint", _power_fails)
        with pytest.raises(PowerCut):
            broken.signer.sign()
    kept = log.place.kept_note()
    assert notes(log.pool)[-1] != kept
    assert make_log(log.place).signer.sign() == kept
    assert notes(log.pool)[-1] == kept


class PowerCut(Exception):
    pass


def _power_fails(*_: object) -> None:
    raise PowerCut


def test_a_sealer_that_runs_signs_what_it_seals_and_the_rest_when_it_is_stopped(log: Log) -> None:
    stop = StopEvent()
    running = Thread(target=log.sealer.run, args=(stop,))
    running.start()
    for number in range(20):
        append(log.store, commit(new_event(claim(number), advice(), command_id=str(number))))
    log.sealer.wake()
    while len(leaf_hashes(log.pool)) < 20:
        stop.wait(0.01)
    stop.set()
    log.sealer.wake()
    running.join(10)
    assert not running.is_alive()
    keys = log.place.keys().verifier_keys
    assert open_checkpoint(notes(log.pool)[-1], keys).size == 20
    assert 1 <= len(notes(log.pool)) <= 4


def test_two_that_sign_at_once_sign_one_log(log: Log, make_log: Callable[[SigningFiles], Log]) -> None:
    logs = [make_log(log.place) for _ in range(3)]
    threads = [
        Thread(target=each.grow, args=tuple(f"{n}.{m}" for m in range(8))) for n, each in enumerate(logs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    log.sealer.keep_up()
    keys = log.place.keys()
    heads = [open_checkpoint(note, keys.verifier_keys) for note in notes(log.pool)]
    assert [head.size for head in heads] == sorted({head.size for head in heads})
    assert log.place.kept(keys) == heads[-1]
    assert heads[-1].size == 24
