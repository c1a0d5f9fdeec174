"""`verify` says what it proved, by which key, and up to where; it fails where that is less than was asked."""

import json
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.database import Database, execute
from fixtures.program import CommandLine, Typed
from fixtures.signed_book import put_back, unguarded, verified
from ledger.app import App
from ledger.command_envelope import submission
from ledger.proofs.merkle import Frontier
from ledger.proofs.notes import VerifierKey, WitnessKey, split_note
from ledger.sealing.epochs import begin_epoch
from ledger.sealing.key_files import load_keys, replace_private, write_keys
from ledger.store.log import Epoch, newest_checkpoint
from ledger.verification.database import verify_database
from ledger.verification.findings import LessProven, NotVerified
from ledger.verification.trust_anchors import TrustAnchors, anchors_beside_key, anchors_given


def record(wiring: App, *contracts: str) -> str:
    """Start contracts, seal and sign; the head."""
    for contract in contracts:
        submit(wiring, contract)
    wiring.sealer.seal_all()
    wiring.signer.sign()
    return head(wiring)


def submit(wiring: App, contract: str) -> None:
    fields = {
        "contract": contract,
        "product": "cyber-care",
        "starts_on": "2026-01-05",
        "policyholder": {"person": f"P-{contract}", "name": "Mila Peeters"},
    }
    answer = wiring.ledger.submit(submission(f"start-{contract}", "StartContract", fields))
    assert answer.status == "recorded", answer


def head(wiring: App) -> str:
    with wiring.pool.connection() as connection:
        return newest_checkpoint(connection, wiring.book) or ""


def size_of(note: str) -> int:
    return int(note.splitlines()[1])


def accept(wiring: App) -> Epoch:
    begun = begin_epoch(wiring.sealer_pool, wiring.book, wiring.signing_place, "accepted")
    assert begun is not None
    return begun


def vkey(wiring: App) -> str:
    return str(wiring.signing_place.keys().signer.verifier_key)


def kept(folder: Path, note: str) -> str:
    path = folder / f"{note.splitlines()[1]}.checkpoint"
    path.write_text(note, encoding="utf-8")
    return str(path)


def told(typed: Typed) -> dict[str, Any]:
    assert len(typed.err.splitlines()) <= 1 or typed.exit_code == 0, typed.err
    read: dict[str, Any] = json.loads(typed.out)
    return read


# Row 10


def test_fault_10_a_head_kept_beyond_a_parting_is_named_as_not_covered(
    wiring: App, database: Database, command_line: CommandLine, tmp_path: Path
) -> None:
    first = record(wiring, "C-1", "C-2")
    second = record(wiring, "C-3", "C-4")
    before, lost, parting = kept(tmp_path, first), kept(tmp_path, second), size_of(first)
    put_back(database, parting)
    accept(wiring)
    record(wiring, "C-5", "C-6", "C-7")

    refused = command_line("verify", "--since", lost)
    assert (refused.exit_code, refused.out) == (1, "")
    [line] = refused.err.splitlines()
    assert (
        f"not covered by this log: it is of {size_of(second)} events of epoch 1, "
        f"and epoch 2 parted at position {parting}"
    ) in line
    said = told(command_line("verify", "--since", before, "--since", lost, "--json"))
    assert said["verified"] is False
    assert [(one["size"], one["covered"], one["proven"]) for one in said["heads_given"]] == [
        (parting, parting, True),
        (size_of(second), None, False),
    ]
    assert said["proven"] == said["size"] > size_of(second)

    sound = command_line("verify", "--since", before)
    assert sound.exit_code == 0, sound.err
    assert "1 of the heads given show what came before" in sound.err
    alone = command_line("verify")
    assert alone.exit_code == 0
    assert f"at position {parting}, where {size_of(second)} had been signed" in alone.err
    assert "no head from outside" in alone.err


def test_fault_10_who_begins_an_epoch_from_nothing_is_not_let_off_any_head(
    wiring: App, database: Database, command_line: CommandLine, tmp_path: Path
) -> None:
    """An epoch that says that it shares nothing with the one before: what was kept of it is not proven."""
    given = [kept(tmp_path, record(wiring, name)) for name in ("C-1", "C-2", "C-3")]
    unguarded(database, "update ledger.checkpoints set root = sha256(root)", "delete from ledger.checkpoints")
    wiring.signing_place.key.unlink()
    accept(wiring)
    for path in given:
        refused = command_line("verify", "--since", path)
        assert refused.exit_code == 1
        assert "not covered by this log" in refused.err or "not signed by a trusted key" in refused.err


def test_fault_10_a_head_beyond_the_parting_is_proven_where_nothing_differs(
    wiring: App, database: Database
) -> None:
    """The parting is where it is shown to be: what lies beyond may be the same all the same."""
    parting = size_of(record(wiring, "C-1"))
    same = record(wiring, "C-2", "C-3")
    record(wiring, "C-4")
    put_back(database, size_of(same))
    unguarded(database, f"delete from ledger.checkpoints where size > {parting}")
    assert accept(wiring).from_position == parting
    record(wiring, "C-5")
    proof = verify_database(wiring.pool, wiring.book, anchors_beside_key(wiring.signing_place, [same]))
    assert [(one.size, one.covered) for one in proof.heads_given] == [(size_of(same), size_of(same))]
    unguarded(database, "update ledger.events set actor = 'desk-99' where stream = 'contract/C-2'")
    with pytest.raises(Exception, match=f"position {parting}"):
        verify_database(wiring.pool, wiring.book, anchors_beside_key(wiring.signing_place, [same]))


# Row 11


def test_fault_11_with_a_key_and_no_head_signed_by_it_nothing_is_verified(
    wiring: App, database: Database, command_line: CommandLine
) -> None:
    size = size_of(record(wiring, "C-1", "C-2"))
    key = vkey(wiring)
    sound = told(command_line("verify", "--key", key, "--json"))
    assert (sound["verified"], sound["proven"], sound["signed_by"]) == (True, size, [key])
    assert sound["keys"] == {key: size}
    unguarded(database, "delete from ledger.checkpoints")
    refused = command_line("verify", "--key", key)
    assert (refused.exit_code, refused.out) == (1, "")
    assert "no head signed by" in refused.err
    assert len(refused.err.splitlines()) == 1
    said = told(command_line("verify", "--key", key, "--json"))
    assert (said["verified"], said["proven"], said["heads"], said["unsigned"]) == (False, 0, 0, size)


def test_fault_11_an_empty_log_proves_nothing_to_who_asks_for_a_key(
    wiring: App, database: Database, command_line: CommandLine
) -> None:
    record(wiring, "C-1")
    key = vkey(wiring)
    put_back(database, 0)
    assert command_line("verify", "--key", key).exit_code == 1


@pytest.mark.parametrize(
    ("sealed", "code"),
    [("now()", 0), ("now() - interval '1 hour'", 1), ("now() + interval '1 hour'", 1)],
    ids=["just now", "an hour ago", "in an hour"],
)
def test_fault_11_the_newest_head_covers_all_but_the_last_seconds(
    wiring: App, database: Database, command_line: CommandLine, sealed: str, code: int
) -> None:
    signed = size_of(record(wiring, "C-1", "C-2"))
    key = vkey(wiring)
    submit(wiring, "C-3")
    wiring.sealer.seal_all()
    unguarded(
        database,
        f"update ledger.log set sealed_at = now() - interval '2 hours' where position < {signed}",
        f"update ledger.log set sealed_at = {sealed} where position >= {signed}",
    )
    said = told(command_line("verify", "--key", key, "--json"))
    assert said["verified"] is (code == 0)
    assert (said["proven"], said["size"], said["unsigned"]) == (signed, signed + 2, 2)
    plain = command_line("verify")
    assert plain.exit_code == code
    if code:
        assert f"covers positions {signed} to {signed + 1}, sealed since" in plain.err
    assert command_line("checkpoint").exit_code == 0
    assert told(command_line("verify", "--key", key, "--json"))["proven"] == signed + 2


def test_fault_11_a_witness_that_is_asked_for_must_have_cosigned(wiring: App) -> None:
    record(wiring, "C-1")
    witness = WitnessKey("witness.test/w", bytes(32))
    with pytest.raises(
        LessProven, match=r"no head of this log bears a cosignature of the witness witness\.test"
    ):
        verify_database(
            wiring.pool, wiring.book, anchors_beside_key(wiring.signing_place, witnesses=[witness])
        )


# Row 26


def test_fault_26_after_a_rotation_the_standing_head_verifies_with_either_key_at_once(
    wiring: App, command_line: CommandLine, tmp_path: Path
) -> None:
    note = record(wiring, "C-1", "C-2")
    old = vkey(wiring)
    rotated = told(command_line("keys", "rotate", "--signing", "--json"))
    new = rotated["verifier_key"]
    assert new == vkey(wiring) != old
    assert [out["verifier_key"] for out in rotated["outgoing"]] == [old]
    until = datetime.fromisoformat(rotated["outgoing"][0]["until"])
    assert timedelta(days=89) < until - datetime.now(UTC) < timedelta(days=91)
    standing = head(wiring)
    assert standing.startswith(note)
    assert len(split_note(standing)[1]) == 2
    assert wiring.signing_place.kept_note() == standing
    for key in (old, new):
        assert verify_database(wiring.pool, wiring.book, as_given_text(key)).signed_by == [key]

    file, bundle = tmp_path / "C-1.json", tmp_path / "bundle"
    for words in (("proof", "C-1", "--out", str(file)), ("export", str(bundle))):
        said = command_line(*words)
        assert said.exit_code == 0, said.err
        printed = shlex.split(said.err.rpartition("coverledger ")[2])
        assert command_line(*printed).exit_code == 0
        for key in (old, new):
            assert command_line("verify", printed[1], "--key", key).exit_code == 0

    record(wiring, "C-3")
    assert len(split_note(head(wiring))[1]) == 2
    for key in (old, new):
        assert (
            verify_database(wiring.pool, wiring.book, as_given_text(key)).proven
            == size_of(head(wiring))
            > size_of(note)
        )
    assert set(verified(wiring).signed_by) == {new, old}


def as_given_text(key: str) -> TrustAnchors:
    return anchors_given([VerifierKey.parse(key)])


def test_fault_26_a_rotation_that_was_broken_off_is_finished_by_whoever_signs_next(
    wiring: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(wiring, "C-1")
    with monkeypatch.context() as patched:
        patched.setattr(type(wiring.signer), "sign", _power_fails)
        with pytest.raises(PowerCut):
            wiring.signer.rotate()
    assert not wiring.signer.check()
    wiring.signer.sign()
    assert wiring.signer.check()
    assert len(split_note(head(wiring))[1]) == 2


class PowerCut(Exception):
    pass


def _power_fails(*_: object) -> None:
    raise PowerCut


def test_fault_26_after_its_time_the_old_key_signs_no_more_and_is_gone(wiring: App) -> None:
    signed = size_of(record(wiring, "C-1"))
    wiring.signer.rotate()
    path = wiring.signing_place.key
    keys = load_keys(path)
    [outgoing] = keys.outgoing
    past = write_keys(keys).replace(outgoing.until.isoformat(), "2020-01-01T00:00:00+00:00")
    replace_private(path, past)
    record(wiring, "C-2")
    assert len(split_note(head(wiring))[1]) == 1
    now = load_keys(path)
    assert now.outgoing == ()
    [retired] = now.retired
    assert (retired.key, retired.to_size) == (outgoing.signer.verifier_key, signed)
    assert path.read_text(encoding="utf-8").count("PRIVATE+KEY") == 1
    assert verified(wiring).signed_by == [str(now.signer.verifier_key)]


def test_fault_26_a_line_that_was_altered_later_is_found(wiring: App, database: Database) -> None:
    record(wiring, "C-1")
    wiring.signer.rotate()
    unguarded(
        database,
        "update ledger.head_signatures set signature = set_byte(signature, 3, get_byte(signature, 3) # 1)",
    )
    with pytest.raises(Exception, match="does not fit the text"):
        verified(wiring)


# Row 27


def test_fault_27_a_vault_without_the_book_s_keys_is_said_to_lack_them(
    wiring: App, database: Database, command_line: CommandLine
) -> None:
    record(wiring, "C-1")
    wiring.catch_up()
    assert command_line("verify", "--views").exit_code == 0
    execute(database.superuser_dsn, "delete from vault.book_keys where purpose = 'directory'")
    refused = command_line("verify", "--views")
    assert refused.exit_code == 1
    assert "vault.book_keys, cyber-care directory" in refused.err
    assert "takes no writes" not in refused.err


def test_fault_27_an_event_that_was_cut_out_is_named_where_it_can_have_stood(
    wiring: App, database: Database
) -> None:
    """With its place in the log and every node above: the place is named, and not that of its successor."""
    signed = size_of(record(wiring, "C-1", "C-2"))
    for contract in ("C-3", "C-4", "C-5"):
        submit(wiring, contract)
    for contract in ("C-3", "C-4"):
        fields = {"contract": contract, "received_on": "2026-02-02", "channel": "email"}
        answer = wiring.ledger.submit(submission(f"notice-{contract}", "GiveNotice", fields))
        assert answer.status == "recorded", answer
    record(wiring)
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select l.position, l.stream_id::text, l.version from ledger.log l join ledger.events e"
            " using (book, stream_id, version) where e.stream = 'contract/C-3' order by 1"
        )
        found = cursor.fetchall()
    (before, _, _), (cut, stream_id, version), (after, _, _) = found[:3]
    assert signed <= before < cut < after - 1
    unguarded(
        database,
        f"delete from ledger.events where stream_id = '{stream_id}' and version = {version}",
        f"delete from ledger.log where position = {cut}",
        f"update ledger.log set position = -position where position > {cut}",
        "update ledger.log set position = -position - 1 where position < 0",
        "delete from ledger.log_nodes",
    )
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select leaf_hash from ledger.log order by position")
        hashes = [bytes(leaf) for (leaf,) in cursor.fetchall()]
    nodes = [
        f"insert into ledger.log_nodes values ('{wiring.book}', {level}, {index}, '\\x{node.hex()}')"
        for level, first, row in Frontier().grow(hashes)
        for index, node in enumerate(row, first)
        if level
    ]
    unguarded(database, *nodes)
    with pytest.raises(NotVerified) as named:
        verified(wiring)
    assert named.value.position == cut == before + 1
    assert "it was cut out" in named.value.reason
