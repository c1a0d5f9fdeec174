"""What is taken out of the database verifies without it: a bundle, one contract's proof, an extended head."""

import json
import shutil
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from fixtures.desk import claim, contract, send
from fixtures.signed_book import record_signed_book, seal_and_sign, verified
from ledger.app import App
from ledger.proofs.checkpoints import open_checkpoint, peek_checkpoint
from ledger.proofs.contract_proof import verify_contract_file
from ledger.proofs.errors import BundleBroken, LogForked, ProofRefused
from ledger.proofs.notes import VerifierKey
from ledger.proofs.verifier import verify_bundle
from ledger.store.log import newest_checkpoint
from ledger.verification.exports import NothingProven, contract_proof, event_schemas, export_bundle, extension

WHEN = "2026-02-03T10:00:00+01:00"


def keys_of(wiring: App) -> list[VerifierKey]:
    return wiring.signing_place.keys().verifier_keys


def head(wiring: App) -> str:
    with wiring.pool.connection() as connection:
        return newest_checkpoint(connection, wiring.book) or ""


def all_heads(wiring: App) -> list[str]:
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select note from ledger.checkpoints where book = %s order by size", (wiring.book,))
        return [note for (note,) in cursor.fetchall()]


@pytest.fixture
def bundle(simulated: App, tmp_path: Path) -> Path:
    record_signed_book(simulated, seed=1, steps=120, waiting=5)
    export_bundle(simulated.pool, simulated.book, tmp_path / "bundle", keys_of(simulated))
    return tmp_path / "bundle"


def test_a_bundle_of_the_database_verifies_and_holds_what_is_signed(simulated: App, bundle: Path) -> None:
    with simulated.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select contract from projections.contracts order by opened_position limit 1")
        [(number,)] = cursor.fetchall()
    keys = keys_of(simulated)
    proof = verify_bundle(bundle, keys, contract=number, since=all_heads(simulated))
    database = verified(simulated)
    assert (proof.head.size, proof.head.root, proof.streams) == (
        database.size,
        database.root,
        database.streams,
    )
    assert proof.heads == 2 * database.heads
    assert proof.contract is not None
    assert {path.name for path in (bundle / "schemas").iterdir()} == set(event_schemas())


def test_a_bundle_that_is_older_than_a_head_kept_is_refused(simulated: App, bundle: Path) -> None:
    send(simulated, "StartContract", contract("CC-99"), WHEN)
    seal_and_sign(simulated)
    with pytest.raises(BundleBroken, match="the bundle is older, or was cut"):
        verify_bundle(bundle, keys_of(simulated), since=[head(simulated)])


def test_random_tamperings_of_a_bundle_from_the_database_are_found(
    simulated: App, bundle: Path, tmp_path: Path
) -> None:
    keys = keys_of(simulated)
    files = sorted(path.relative_to(bundle) for path in bundle.rglob("*") if path.is_file())
    for seed in range(40):
        chance = Random(seed)  # noqa: S311  # chance that can be repeated
        altered = tmp_path / "altered"
        shutil.copytree(bundle, altered)
        file = altered / chance.choice(files)
        raw = file.read_bytes()
        place = chance.randrange(len(raw))
        how = chance.choice(["flip", "cut", "delete", "double"])
        if how == "delete":
            file.unlink()
        else:
            other = bytes([raw[place] ^ chance.randrange(1, 256)])
            changed = {
                "flip": raw[:place] + other + raw[place + 1 :],
                "cut": raw[:place],
                "double": raw + raw,
            }
            file.write_bytes(changed[how])
        with pytest.raises(BundleBroken):
            verify_bundle(altered, keys)
        shutil.rmtree(altered)


def test_a_database_that_does_not_hold_what_was_signed_is_not_exported_whole(
    simulated: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_signed_book(simulated, seed=2, steps=30)
    monkeypatch.setattr("ledger.verification.exports._events", lambda *_: iter([(b"leaf", b"payload")]))
    with pytest.raises(BundleBroken, match="coverledger verify"):
        export_bundle(simulated.pool, simulated.book, tmp_path / "bundle", keys_of(simulated))
    assert not (tmp_path / "bundle" / "checkpoint").exists()


def test_a_contract_s_proof_holds_its_streams_whole_and_verifies_alone(simulated: App) -> None:
    record_signed_book(simulated, seed=3, steps=120)
    with simulated.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select stream, max(version) from ledger.events group by stream")
        versions = dict(cursor.fetchall())
        cursor.execute("select contract, claim from projections.claims group by 1, 2")
        claims = cursor.fetchall()
    for number in [stream.partition("/")[2] for stream in versions if stream.startswith("contract/")]:
        text, head = contract_proof(simulated.pool, simulated.book, number)
        proven_head, proof = verify_contract_file(text, keys_of(simulated))
        assert proven_head == head
        wanted = {f"contract/{number}", *(f"claim/{claim}" for on, claim in claims if on == number)}
        assert wanted <= proof.events.keys()
        assert proof.events == {stream: versions[stream] for stream in proof.events}


def test_a_contract_s_proof_does_not_verify_once_altered(simulated: App) -> None:
    send(simulated, "StartContract", contract(), WHEN)
    send(simulated, "OpenClaim", claim(), WHEN)
    seal_and_sign(simulated)
    text, _ = contract_proof(simulated.pool, simulated.book, "CC-1")
    content = json.loads(text)
    assert [stream["stream"] for stream in content["streams"]] == ["contract/CC-1", "claim/K-1"]
    del content["streams"][1]
    altered = [
        text.replace("CC-1", "CC-2"),
        text.replace('\\"ordinal\\":0', '\\"ordinal\\":1', 1),
        json.dumps(content),
    ]
    for other in altered:
        with pytest.raises(ProofRefused):
            verify_contract_file(other, keys_of(simulated))


def test_what_is_not_signed_yet_is_not_in_a_proof(simulated: App) -> None:
    with pytest.raises(NothingProven, match="no head is signed yet"):
        contract_proof(simulated.pool, simulated.book, "CC-1")
    send(simulated, "StartContract", contract(), WHEN)
    seal_and_sign(simulated)
    _, before = contract_proof(simulated.pool, simulated.book, "CC-1")
    send(simulated, "OpenClaim", claim(), WHEN)
    simulated.sealer.seal_all()
    text, head = contract_proof(simulated.pool, simulated.book, "CC-1")
    assert head == before
    assert "claim/K-1" not in text
    with pytest.raises(NothingProven, match="holds no contract CC-2"):
        contract_proof(simulated.pool, simulated.book, "CC-2")


def test_any_two_heads_of_a_growing_log_are_consistent(simulated: App) -> None:
    record_signed_book(simulated, seed=4, steps=80)
    notes = all_heads(simulated)
    keys = keys_of(simulated)
    assert len(notes) > 5
    pairs = [(old, new) for at, old in enumerate(notes) for new in notes[at:]]
    for old, new in pairs:
        proof = extension(simulated.pool, simulated.book, old, new)
        assert proof.verify(open_checkpoint(old, keys), keys) == open_checkpoint(new, keys)
    for old, new in pairwise(notes):
        with pytest.raises(LogForked, match="the log only"):
            extension(simulated.pool, simulated.book, new, old)


def test_a_head_of_another_history_is_not_extended(simulated: App) -> None:
    record_signed_book(simulated, seed=5, steps=30)
    notes = all_heads(simulated)
    other = notes[0].split("\n")
    other[2] = peek_checkpoint(notes[-1]).text.split("\n")[2]
    with pytest.raises(LogForked, match="does not extend that head"):
        extension(simulated.pool, simulated.book, "\n".join(other), notes[-1])
    other[0] += ".other"
    with pytest.raises(LogForked, match="is of the log"):
        extension(simulated.pool, simulated.book, "\n".join(other), notes[-1])
