"""A bundle: written streaming, verified offline, and what is wrong with one is named."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from made_up_book import (
    MADE_UP,
    ORIGIN,
    SCHEMAS,
    SIGNER,
    made_up_events,
    signed_heads,
    write_made_up_bundle,
)

from ledger.proofs.bundle import MAX_PAYLOAD_BYTES, write_bundle
from ledger.proofs.checkpoints import Checkpoint, sign_checkpoint
from ledger.proofs.errors import BadNote, BundleBroken
from ledger.proofs.leaf import payload_sha256, read_leaf
from ledger.proofs.merkle import EMPTY_ROOT, leaf_hash
from ledger.proofs.notes import Ed25519Signer
from ledger.proofs.verifier import verify_bundle

KEYS = [SIGNER.verifier_key]
Events = list[tuple[bytes, bytes]]
Event = tuple[bytes, bytes]


@pytest.fixture(scope="module")
def events() -> Events:
    return list(made_up_events(600))


def leaves_of(events: Events) -> list[bytes]:
    return [leaf for leaf, _ in events]


def write_unchecked(directory: Path, events: Events, sizes: list[int]) -> None:
    """Write whatever events these are, signed: an insider with the key, whom only the content betrays."""
    write_made_up_bundle(directory, events, sizes)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 512, 600])
def test_a_bundle_verifies(size: int, events: Events, tmp_path: Path) -> None:
    write_made_up_bundle(tmp_path, events[:size], sorted({1, size // 2 + 1, size}))
    seen: list[tuple[int, int]] = []
    proof = verify_bundle(tmp_path, KEYS, progress=lambda done, total: seen.append((done, total)))
    assert (proof.head.size, proof.head.origin, proof.book) == (size, ORIGIN, "cyber-care")
    assert proof.heads == len({1, size // 2 + 1, size})
    assert proof.contract is None
    assert seen[-1] == (size, size)


def test_a_bundle_of_an_empty_log_verifies(tmp_path: Path) -> None:
    write_made_up_bundle(tmp_path, [], [0])
    assert verify_bundle(tmp_path, KEYS).head == Checkpoint(ORIGIN, 0, EMPTY_ROOT)


def test_a_bundle_with_a_head_at_every_event_verifies(events: Events, tmp_path: Path) -> None:
    write_made_up_bundle(tmp_path, events[:300], list(range(301)))
    assert verify_bundle(tmp_path, KEYS).heads == 301


def test_the_evidence_on_a_contract_is_its_stream_and_its_claims(events: Events, tmp_path: Path) -> None:
    write_made_up_bundle(tmp_path, events, [600])
    proof = verify_bundle(tmp_path, KEYS, contract="C-7")
    assert proof.contract is not None
    assert proof.contract.events == {"contract/C-7": 6, "claim/K-7": 4}
    with pytest.raises(BundleBroken, match="contract C-999: the log does not hold it"):
        verify_bundle(tmp_path, KEYS, contract="C-999")


def test_a_claim_that_a_contract_names_must_be_there(tmp_path: Path) -> None:
    write_unchecked(tmp_path, [registration({"claim": "K-gone", "salt": ""})], [1])
    assert verify_bundle(tmp_path, KEYS).streams == 1
    with pytest.raises(BundleBroken, match="does not hold: claim/K-gone"):
        verify_bundle(tmp_path, KEYS, contract="C-1")


@pytest.mark.parametrize("payload", [{"salt": ""}, {"claim": 7}, [], "text"])
def test_a_registration_must_name_its_claim(payload: object, tmp_path: Path) -> None:
    write_unchecked(tmp_path, [registration(payload)], [1])
    with pytest.raises(BundleBroken, match="does not name the claim") as broken:
        verify_bundle(tmp_path, KEYS, contract="C-1")
    assert broken.value.position == 0


def registration(payload: object) -> Event:
    raw = json.dumps(payload).encode()
    uuid = "0d9b2f6e-3c1a-5f6f-8d2f-6a3c1b2d4e5f"
    leaf = MADE_UP._replace(
        command_id="cmd", correlation_id=uuid, event_id=uuid, payload_sha256=payload_sha256(raw),
        stream="contract/C-1", type="contract.ClaimRegistered",
    )  # fmt: skip
    return leaf.to_bytes(), raw


def test_a_log_extends_the_heads_that_an_auditor_kept(events: Events, tmp_path: Path) -> None:
    write_made_up_bundle(tmp_path, events, [300, 600])
    kept = signed_heads(leaves_of(events), [0, 17, 300, 599])
    assert verify_bundle(tmp_path, KEYS, since=kept).heads == 6


def test_a_log_that_forked_from_the_head_kept_is_refused(events: Events, tmp_path: Path) -> None:
    write_made_up_bundle(tmp_path, events, [300, 600])
    other = leaves_of(events)
    other[411] = b"another history"
    (kept,) = signed_heads(other, [412])
    with pytest.raises(BundleBroken, match=r"the head kept.*one of positions 300 to 411") as broken:
        verify_bundle(tmp_path, KEYS, since=[kept])
    assert broken.value.position == 300


def test_a_bundle_older_than_the_head_kept_is_refused(events: Events, tmp_path: Path) -> None:
    write_made_up_bundle(tmp_path, events[:300], [300])
    with pytest.raises(BundleBroken, match="older, or was cut") as broken:
        verify_bundle(tmp_path, KEYS, since=signed_heads(leaves_of(events), [301]))
    assert broken.value.position == 300


def test_a_head_kept_of_another_log_or_by_another_key_is_refused(events: Events, tmp_path: Path) -> None:
    write_made_up_bundle(tmp_path, events[:300], [300])
    other = Ed25519Signer("other.example", SIGNER.private_key)
    (foreign,) = signed_heads(leaves_of(events), [5], other)
    with pytest.raises(BundleBroken, match="is of the log other"):
        verify_bundle(tmp_path, [*KEYS, other.verifier_key], since=[foreign])
    with pytest.raises(BundleBroken, match="not signed by a trusted key"):
        verify_bundle(tmp_path, KEYS, since=[foreign])


def test_heads_older_than_a_rotation_need_the_retired_key_to_be_checked(
    events: Events, tmp_path: Path
) -> None:
    new = Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"\x09" * 32))
    heads = signed_heads(leaves_of(events), [300]) + signed_heads(leaves_of(events), [600], new)
    both = [new.verifier_key, *KEYS]
    write_bundle(tmp_path, checkpoints=heads, events=events, schemas={}, keys=both)
    assert (verify_bundle(tmp_path, both).heads, verify_bundle(tmp_path, both).heads_not_checked) == (2, 0)
    assert (verify_bundle(tmp_path, both[:1]).heads, verify_bundle(tmp_path, both[:1]).heads_not_checked) == (
        2,
        1,
    )
    with pytest.raises(BundleBroken, match=r"need the retired key too, see verifier\.keys"):
        verify_bundle(tmp_path, both[:1], since=heads[:1])


def test_a_bundle_signed_by_another_key_is_refused(events: Events, tmp_path: Path) -> None:
    write_made_up_bundle(tmp_path, events[:10], [10])
    other = Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"\x09" * 32))
    with pytest.raises(BundleBroken, match="checkpoint: not signed by a trusted key"):
        verify_bundle(tmp_path, [other.verifier_key])


def changed(events: Events, position: int, change: Callable[[bytes], bytes]) -> Events:
    leaf, payload = events[position]
    return [*events[:position], (change(leaf), payload), *events[position + 1 :]]


INSIDER = [
    (13, lambda leaf: leaf.replace(b"staff-17", b"staff-18"), 15),
    (13, lambda leaf: leaf.replace(b'"v":1', b'"v": 1'), 13),
    (13, lambda leaf: leaf.replace(b'"version":3', b'"version":4'), 13),
    (13, lambda leaf: leaf.replace(b"cyber-care", b"other-book"), 13),
    (13, lambda leaf: leaf.replace(b'"payload_sha256":"', b'"payload_sha256":"0')[:-1], 13),
    (13, lambda leaf: leaf.replace(b"2026-03-01T", b"2026-02-01T", 1), 15),
]


@pytest.mark.parametrize(("position", "change", "first_bad"), INSIDER)
def test_what_the_key_holder_himself_has_changed_shows_in_the_chain(
    position: int, change: Callable[[bytes], bytes], first_bad: int, events: Events, tmp_path: Path
) -> None:
    write_unchecked(tmp_path, changed(events, position, change), [600])
    with pytest.raises(BundleBroken) as broken:
        verify_bundle(tmp_path, KEYS)
    assert broken.value.position == first_bad


def test_an_event_left_out_or_put_in_by_the_key_holder_shows_in_the_chain(
    events: Events, tmp_path: Path
) -> None:
    write_unchecked(tmp_path / "out", events[:13] + events[14:], [599])
    with pytest.raises(BundleBroken, match="from version 2 to 4") as broken:
        verify_bundle(tmp_path / "out", KEYS)
    assert broken.value.position == 13
    write_unchecked(tmp_path / "in", events[:14] + events[13:], [601])
    with pytest.raises(BundleBroken, match="from version 3 to 3") as broken:
        verify_bundle(tmp_path / "in", KEYS)
    assert broken.value.position == 14


def test_events_that_are_not_those_of_the_head_are_not_exported(events: Events, tmp_path: Path) -> None:
    heads = signed_heads(leaves_of(events), [300])
    for number, wrong in enumerate((events[:299], events[:301], changed(events[:300], 7, lambda _: b"x"))):
        with pytest.raises(BundleBroken, match="run `coverledger verify`"):
            write_bundle(tmp_path / str(number), checkpoints=heads, events=wrong, schemas={}, keys=KEYS)
        with pytest.raises(BundleBroken, match="export did not finish"):
            verify_bundle(tmp_path / str(number), KEYS)


def test_a_bundle_goes_into_an_empty_folder_under_a_trusted_head(events: Events, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is not empty"):
        write_made_up_bundle(tmp_path, events[:5], [5])
    with pytest.raises(BundleBroken, match="seal and sign first"):
        write_bundle(tmp_path / "a", checkpoints=[], events=[], schemas={}, keys=KEYS)
    with pytest.raises(BadNote, match="trusted key"):
        write_bundle(tmp_path / "b", checkpoints=signed_heads([], [0]), events=[], schemas={}, keys=[])
    with pytest.raises(ValueError, match="schema's file name"):
        write_bundle(
            tmp_path / "c", checkpoints=signed_heads([], [0]), events=[], schemas={"../x": b""}, keys=KEYS
        )


def test_a_payload_too_large_for_a_bundle_is_refused(tmp_path: Path) -> None:
    leaf, _ = registration({"claim": "K"})
    heads = signed_heads([leaf], [1])
    with pytest.raises(ValueError, match="does not fit"):
        write_bundle(
            tmp_path,
            checkpoints=heads,
            events=[(leaf, b"x" * (MAX_PAYLOAD_BYTES + 1))],
            schemas={},
            keys=KEYS,
        )


def test_the_readme_tells_the_auditor_what_is_where_and_what_is_proven(
    events: Events, tmp_path: Path
) -> None:
    write_made_up_bundle(tmp_path, events[:300], [300])
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert f"# The ledger {ORIGIN}, 300 events" in page
    assert str(SIGNER.verifier_key) in page
    assert "Not proven" in page
    found = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")}
    assert all(f"`{name}" in page or name == "README.md" for name in found)
    assert set(SCHEMAS) == {path.name for path in (tmp_path / "schemas").iterdir()}


def test_the_payloads_read_as_the_readme_says(events: Events, tmp_path: Path) -> None:
    write_made_up_bundle(tmp_path, events[:300], [300])
    raw = (tmp_path / "payload/001.p/44").read_bytes()
    payloads = []
    while raw:
        length = int.from_bytes(raw[:4], "big")
        payloads.append(raw[4 : 4 + length])
        raw = raw[4 + length :]
    assert payloads == [payload for _, payload in events[256:300]]


@pytest.mark.parametrize(
    ("name", "position"),
    [
        ("payload/001", 256),
        ("tile/0/001", 256),
        ("tile/entries/001", 256),
        ("tile/1/000.p/2", 0),
        ("checkpoints", 0),
        ("SHA256SUMS", None),
        ("README.md", None),
        ("schemas/claim.AdviceGiven.v1.json", None),
        ("verifier.keys", None),
        ("checkpoint", None),
    ],
)
def test_a_missing_file_is_named(name: str, position: int | None, events: Events, tmp_path: Path) -> None:
    write_made_up_bundle(tmp_path, events, [600])
    (tmp_path / name).unlink()
    with pytest.raises(BundleBroken) as broken:
        verify_bundle(tmp_path, KEYS)
    assert broken.value.position == position
    assert broken.value.path == name


@pytest.mark.parametrize(
    "name", ["tile/0/003", "tile/2/000.p/1", "tile/0/000.p/7", "payload/003", "payload/note", "tile/x"]
)
def test_a_file_that_no_such_log_has_is_refused(name: str, events: Events, tmp_path: Path) -> None:
    write_made_up_bundle(tmp_path, events, [600])
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(BundleBroken, match="remove it"):
        verify_bundle(tmp_path, KEYS)


def test_a_history_must_rise_to_the_head(events: Events, tmp_path: Path) -> None:
    heads = write_made_up_bundle(tmp_path, events, [100, 300, 600])
    for wrong, position in (
        ([heads[1], heads[0], heads[2]], 300),
        (heads[:2], 300),
        ([heads[0], heads[0], heads[1], heads[2]], 100),
        ([], 0),
        ([heads[0], sign_checkpoint(Checkpoint(ORIGIN, 601, b"\0" * 32), [SIGNER])], 100),
    ):
        (tmp_path / "checkpoints").write_text("\n".join(wrong), encoding="utf-8")
        with pytest.raises(BundleBroken) as broken:
            verify_bundle(tmp_path, KEYS)
        assert (broken.value.position, broken.value.path) == (position, "checkpoints")


def test_what_has_the_wrong_size_is_not_read_into_memory(events: Events, tmp_path: Path) -> None:
    write_made_up_bundle(tmp_path, events, [600])
    with (tmp_path / "tile/entries/001").open("r+b") as opened:
        opened.truncate(256 * 65_537 + 1)
    with pytest.raises(BundleBroken, match="larger than its entries can be"):
        verify_bundle(tmp_path, KEYS)


def test_each_leaf_of_a_bundle_hashes_to_its_tile(events: Events, tmp_path: Path) -> None:
    write_made_up_bundle(tmp_path, events[:256], [256])
    assert (tmp_path / "tile/0/000").read_bytes() == b"".join(leaf_hash(leaf) for leaf, _ in events[:256])
    assert read_leaf(events[2][0]).type == "contract.ClaimRegistered"


def test_verifying_needs_nothing_but_the_standard_library_and_cryptography() -> None:
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "import ledger.proofs.__main__, ledger.proofs.checkpoints\n"
        "ours = {name for name in sys.modules if name[:7] == 'ledger.' and name[:13] != 'ledger.proofs'}\n"
        "print(*ours, *{name.partition('.')[0] for name in set(sys.modules) - before})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split()) - sys.stdlib_module_names
    assert loaded - {"ledger", "cryptography", "_cffi_backend", "_openssl"} == set()
