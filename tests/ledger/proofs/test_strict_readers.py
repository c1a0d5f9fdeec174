"""Every file that an auditor is given is read strictly: what is spelt otherwise is not verified."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from made_up_book import ORIGIN, SIGNER, made_up_events, signed_heads, write_made_up_bundle

from ledger.proofs.__main__ import main
from ledger.proofs.bundle import write_bundle
from ledger.proofs.checkpoints import ConsistencyFile, InclusionFile, peek_checkpoint
from ledger.proofs.contract_proof import StreamHistory, verify_contract_file, write_contract_file
from ledger.proofs.errors import BadNote, BadProof, BundleBroken, ProofRefused
from ledger.proofs.leaf import read_leaf
from ledger.proofs.merkle import Frontier, NodeAt, consistency_proof, inclusion_proof, leaf_hash
from ledger.proofs.notes import Ed25519Signer, VerifierKey
from ledger.proofs.tiles import parse_tile_path
from ledger.proofs.untrusted_files import strict_json
from ledger.proofs.verifier import verify_bundle, verify_evidence

KEY = str(SIGNER.verifier_key)
KEYS = [SIGNER.verifier_key]
EVENTS = list(made_up_events(300))
LEAVES = [leaf for leaf, _ in EVENTS]
NODES = {
    NodeAt(*node[:2]): node.hash for node in Frontier().completed_by([leaf_hash(leaf) for leaf in LEAVES])
}
OLD, HEAD = signed_heads(LEAVES, [200, 300])


def nodes(asked: Sequence[NodeAt]) -> list[bytes]:
    return [NODES[place] for place in asked]


def history(stream: str) -> StreamHistory:
    places = [place for place, leaf in enumerate(LEAVES) if read_leaf(leaf).stream == stream]
    proof = tuple(inclusion_proof(places[-1], 300, nodes))
    return StreamHistory(stream, [EVENTS[place] for place in places], InclusionFile(places[-1], proof, HEAD))


FILE = write_contract_file("C-7", [history("contract/C-7"), history("claim/K-7")])
CONSISTENCY = str(ConsistencyFile(200, tuple(consistency_proof(200, 300, nodes)), HEAD))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("strict") / "bundle"
    write_made_up_bundle(directory, EVENTS, [100, 200, 300])
    verify_bundle(directory, KEYS)
    return directory


@pytest.fixture
def bundle(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "bundle")


# Row 27: one spelling


@pytest.mark.parametrize("name", ["checkpoint", "checkpoints", "SHA256SUMS"])
def test_fault_27_a_bundle_s_file_with_crlf_does_not_verify(bundle: Path, name: str) -> None:
    path = bundle / name
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(BundleBroken) as broken:
        verify_bundle(bundle, KEYS)
    assert broken.value.path == name


def test_fault_27_a_kept_head_with_crlf_is_no_head(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(OLD.replace("\n", "\r\n").encode())
    assert main([str(bundle), "--key", KEY, "--since", str(kept)]) == 2
    assert "is no signed head" in capsys.readouterr().err


def twice(text: str) -> str:
    return text.replace('"contract": "C-7"', '"contract": "C-8",\n "contract": "C-7"', 1)


def twice_in_an_event(text: str) -> str:
    return text.replace('"payload":', '"payload": "",\n     "payload":', 1)


def unknown(text: str) -> str:
    return text.replace('"contract": "C-7"', '"contract": "C-7", "note": "paid in full"', 1)


def unknown_in_a_stream(text: str) -> str:
    return text.replace('"stream": "claim/K-7"', '"stream": "claim/K-7", "closed": true', 1)


def unknown_in_an_event(text: str) -> str:
    return text.replace('"leaf":', '"position": 3, "leaf":', 1)


def extra_line(text: str) -> str:
    return text.replace(
        "c2sp.org/tlog-proof@v1\\nindex", "c2sp.org/tlog-proof@v1\\nextra bm90ZQ==\\nindex", 1
    )


def leading_zero(text: str) -> str:
    return text.replace("\\nindex ", "\\nindex 0", 1)


def trailing(text: str) -> str:
    return text + "{}"


def marked(text: str) -> str:
    return "\ufeff" + text


def not_canonical(text: str) -> str:
    """A base64 spelling whose last bits are not zero stands for the same bytes elsewhere."""
    content = json.loads(text)
    proof = content["streams"][0]["proof"].split("\n")
    last = proof[2]
    proof[2] = last[:-2] + chr(ord(last[-2]) + 1) + "="
    content["streams"][0]["proof"] = "\n".join(proof)
    return json.dumps(content)


@pytest.mark.parametrize(
    "spelt",
    [
        twice, twice_in_an_event, unknown, unknown_in_a_stream, unknown_in_an_event, extra_line, leading_zero,
        trailing, marked, not_canonical,
    ],
)  # fmt: skip
def test_fault_27_a_proof_that_is_spelt_otherwise_does_not_verify(spelt: Callable[[str], str]) -> None:
    other = spelt(FILE)
    assert other != FILE
    with pytest.raises(ProofRefused):
        verify_contract_file(other, KEYS)


def test_fault_27_a_payload_that_names_two_claims_is_no_evidence() -> None:
    leaf, payload = EVENTS[72]
    assert read_leaf(leaf).type == "contract.ClaimRegistered"
    doubled = payload.replace(b'"claim":"K-7"', b'"claim":"K-8","claim":"K-7"')
    with pytest.raises(ValueError, match="stands twice"):
        strict_json(doubled.decode())


@pytest.mark.parametrize(
    "junk", [b"\n\nand more", b"\n\n\n", b"\n" + OLD.encode()], ids=["words", "blank lines", "an older head"]
)
def test_fault_27_nothing_follows_the_history_s_last_head(bundle: Path, junk: bytes) -> None:
    with (bundle / "checkpoints").open("ab") as opened:
        opened.write(junk)
    with pytest.raises(BundleBroken) as broken:
        verify_bundle(bundle, KEYS)
    assert broken.value.path == "checkpoints"


@pytest.mark.parametrize(
    "text",
    [
        "07", "1.0", "1e2", "-1", "+1", " 1", "1 ", "0x10", "9223372036854775808", "9" * 5_000, "\u0661", "",
    ],
)  # fmt: skip
def test_fault_27_a_size_has_one_spelling(text: str) -> None:
    origin, _, root, *rest = OLD.split("\n")
    with pytest.raises(ProofRefused):
        ConsistencyFile.parse(CONSISTENCY.replace("old 200", f"old {text}", 1))
    with pytest.raises(BadNote):
        peek_checkpoint("\n".join([origin, text, root, *rest]))


# Links, devices, sizes


def a_link_to_a_file(bundle: Path) -> str:
    path = bundle / "tile/entries/000"
    path.rename(bundle.parent / "elsewhere")
    path.symlink_to(bundle.parent / "elsewhere")
    return "tile/entries/000"


def a_link_to_a_folder(bundle: Path) -> str:
    path = bundle / "payload"
    path.rename(bundle.parent / "elsewhere")
    path.symlink_to(bundle.parent / "elsewhere")
    return "payload"


def a_link_out_of_it(bundle: Path) -> str:
    (bundle / "schemas/claim.AdviceGiven.v1.json").unlink()
    (bundle / "schemas/claim.AdviceGiven.v1.json").symlink_to("/etc/hostname")
    return "schemas/claim.AdviceGiven.v1.json"


def a_pipe(bundle: Path) -> str:
    (bundle / "README.md").unlink()
    os.mkfifo(bundle / "README.md")
    return "README.md"


def an_endless_device(bundle: Path) -> str:
    (bundle / "checkpoint").unlink()
    (bundle / "checkpoint").symlink_to("/dev/zero")
    return "checkpoint"


@pytest.mark.parametrize(
    "alter", [a_link_to_a_file, a_link_to_a_folder, a_link_out_of_it, a_pipe, an_endless_device]
)
def test_fault_27_what_a_link_leads_to_is_no_part_of_a_bundle(
    bundle: Path, alter: Callable[[Path], str]
) -> None:
    name = alter(bundle)
    with pytest.raises(BundleBroken, match="no plain file") as broken:
        verify_bundle(bundle, KEYS)
    assert broken.value.path == name


@pytest.mark.parametrize(
    "name", ["checkpoint", "checkpoints", "SHA256SUMS", "tile/0/000", "tile/entries/000"]
)
def test_fault_27_no_file_is_read_beyond_what_it_can_be(bundle: Path, name: str) -> None:
    os.truncate(bundle / name, 1 << 33)
    with pytest.raises(BundleBroken) as broken:
        verify_bundle(bundle, KEYS)
    assert broken.value.path == name


def test_fault_27_a_folder_in_a_file_s_place_is_named(bundle: Path) -> None:
    for name in ("checkpoint", "checkpoints", "SHA256SUMS", "tile/0/000", "payload/000"):
        copy = shutil.copytree(bundle, bundle.parent / name.replace("/", "-"))
        (copy / name).unlink()
        (copy / name).mkdir()
        with pytest.raises(ProofRefused):
            verify_bundle(copy, KEYS)


def test_fault_27_no_path_of_a_tile_grows_beyond_a_number() -> None:
    assert parse_tile_path("tile/0/" + "x000/" * 3_000 + "000") is None
    assert parse_tile_path("tile/0/../../etc/passwd") is None


# Row 27: the first bad position


def cut_out(position: int, sizes: list[int], directory: Path) -> BundleBroken:
    """Cut one event out of a log, and hash and sign all of it anew."""
    write_made_up_bundle(directory, EVENTS[:position] + EVENTS[position + 1 :], sizes)
    with pytest.raises(BundleBroken) as broken:
        verify_bundle(directory, KEYS)
    return broken.value


def test_fault_27_an_event_that_was_cut_out_is_named_where_it_can_have_stood(tmp_path: Path) -> None:
    # contract/C-7 has its events at 70, 72, 73, 75, 77 and 79.
    assert cut_out(73, [299], tmp_path / "a").position == 73
    later = cut_out(77, [299], tmp_path / "b")
    assert later.position == 76
    assert "what is missing stood between 76 and here, 78" in later.reason
    assert cut_out(77, [77, 299], tmp_path / "c").position == 77


# Row 27: `python -m ledger.proofs` takes all that there is


def test_fault_27_the_program_verifies_each_kind_of_evidence(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof, between, kept = tmp_path / "proof.json", tmp_path / "between", tmp_path / "kept"
    proof.write_text(FILE, encoding="utf-8")
    between.write_text(CONSISTENCY, encoding="utf-8")
    kept.write_text(OLD, encoding="utf-8")
    for words, first in (
        ([str(proof)], "verified: contract C-7, 10 events"),
        ([str(between), "--since", str(kept)], "verified: the log of 300 events begins with the 200"),
        ([str(bundle), "--since", str(kept)], "verified: 300 events in 60 streams, 4 signed heads"),
    ):
        assert main([*words, "--key", KEY]) == 0
        said = capsys.readouterr().out
        assert said.startswith(first)
        assert f"signed by: {KEY}" in said


@pytest.mark.parametrize(
    ("content", "words", "code"),
    [
        (b"\xff\xfe", [], 1),
        (b"", [], 1),
        (FILE.encode()[:-9], [], 1),
        (FILE.encode(), ["--since", "KEPT"], 2),
        (CONSISTENCY.encode(), [], 2),
        (CONSISTENCY.encode(), ["--since", "KEPT", "--contract", "C-7"], 2),
        (FILE.encode(), ["--contract", "C-8"], 1),
    ],
)
def test_fault_27_the_program_says_in_one_line_why_not(
    content: bytes, words: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "KEPT").write_text(OLD, encoding="utf-8")
    (tmp_path / "given").write_bytes(content)
    words = [str(tmp_path / word) if word == "KEPT" else word for word in words]
    assert main([str(tmp_path / "given"), "--key", KEY, *words]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1


def test_fault_27_a_key_that_is_no_text_is_said_in_one_line(bundle: Path) -> None:
    command = [sys.executable, "-m", "ledger.proofs", str(bundle), "--key", b"na\xffme+0+AA"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_fault_27_what_others_wrote_is_shown_in_one_line() -> None:
    told = str(BadProof("claim/K\u2028Verified\x1b[2K\u202e" + "x" * 9_999))
    assert len(told.splitlines()) == 1
    assert told.isprintable()
    assert len(told) < 1_100


# Row 32: a proof of any shape

OTHERS: list[Any] = [None, True, 0, -1, 1.5, "", "x", "\ud800", [], [[]], {}, {"leaf": []}, "9" * 5_000]


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Each node of a JSON value, by the way to it."""
    yield path
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield from places(child, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], other: object) -> Any:  # noqa: ANN401  # JSON
    if not path:
        return other
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], other)
    return copy


def test_fault_32_a_stream_whose_name_is_a_list_is_not_verified() -> None:
    content = json.loads(FILE)
    content["streams"][0]["stream"] = []
    with pytest.raises(BadProof, match="cut or altered"):
        verify_contract_file(json.dumps(content), KEYS)


def test_fault_32_every_node_of_a_proof_as_every_json_type_is_not_verified() -> None:
    content = json.loads(FILE)
    tried = 0
    for path in places(content):
        for other in OTHERS:
            mutated = replaced(content, path, other)
            if mutated == content:
                continue
            with pytest.raises(ProofRefused) as refused:
                verify_contract_file(json.dumps(mutated), KEYS)
            assert len(str(refused.value).splitlines()) == 1
            tried += 1
    assert tried > 400


def test_fault_32_every_field_left_out_and_every_list_shortened_is_not_verified() -> None:
    content = json.loads(FILE)
    for path in places(content):
        if path:
            holder = content
            for key in path[:-1]:
                holder = holder[key]
            shorter = holder.copy()
            del shorter[path[-1]]
            with pytest.raises(ProofRefused):
                verify_contract_file(json.dumps(replaced(content, path[:-1], shorter)), KEYS)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "NaN", "1e999", "-Infinity", '"\\ud800"'])
def test_fault_32_json_that_breaks_readers_is_not_verified(text: str, tmp_path: Path) -> None:
    (tmp_path / "given").write_text(text, encoding="utf-8")
    with pytest.raises(ProofRefused):
        verify_evidence(tmp_path / "given", KEYS)


def test_fault_32_a_bundle_s_files_of_any_content_are_not_verified(original: Path) -> None:
    chance = Random(32)  # noqa: S311  # tamperings are to be repeatable
    names = [path.relative_to(original) for path in original.rglob("*") if path.is_file()]
    contents = [b"", b"\0" * 40, b"\xff" * 9_000, b"[]", b"\n\n\n", b"old 0\n", HEAD.encode() * 3]
    for name in names:
        for content in [*contents, chance.randbytes(chance.randrange(1, 5_000))]:
            kept = (original / name).read_bytes()
            try:
                (original / name).write_bytes(content)
                with pytest.raises(ProofRefused) as refused:
                    verify_bundle(original, KEYS)
                assert len(str(refused.value).splitlines()) == 1
            finally:
                (original / name).write_bytes(kept)
    assert verify_bundle(original, KEYS).head.size == 300


# Row 11: what is proven, by which key


def test_fault_11_a_bundle_says_which_of_the_keys_given_signed_its_head(tmp_path: Path) -> None:
    old, new = SIGNER, Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"\x09" * 32))
    heads = signed_heads(LEAVES, [100, 200], old) + signed_heads(LEAVES, [300], new)
    write_bundle(
        tmp_path / "b",
        checkpoints=heads,
        events=EVENTS,
        schemas={},
        keys=[new.verifier_key, old.verifier_key],
    )
    proven = verify_evidence(tmp_path / "b", [old.verifier_key, new.verifier_key]).as_json
    assert proven["signed_by"] == [str(new.verifier_key)]
    assert (proven["proven"], proven["heads"], proven["heads_not_checked"]) == (300, 3, 0)
    alone = verify_evidence(tmp_path / "b", [new.verifier_key])
    assert alone.as_json["heads_not_checked"] == 2
    assert any("their signatures are not checked" in line for line in alone.lines)
    with pytest.raises(BundleBroken, match="not signed by a trusted key"):
        verify_evidence(tmp_path / "b", [old.verifier_key])


def test_fault_11_a_head_by_another_key_after_the_first_that_is_known_is_refused(bundle: Path) -> None:
    other = Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"\x09" * 32))
    heads = [*signed_heads(LEAVES, [100]), *signed_heads(LEAVES, [200], other), HEAD]
    (bundle / "checkpoints").write_text("\n".join(heads), encoding="utf-8")
    with pytest.raises(BundleBroken, match="not signed by a trusted key") as broken:
        verify_bundle(bundle, KEYS)
    assert broken.value.position == 100


def test_fault_11_an_older_head_by_another_key_is_compared_all_the_same(bundle: Path) -> None:
    other = Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"\x09" * 32))
    forked = [b"other", *LEAVES[1:]]
    heads = [*signed_heads(forked, [100], other), *signed_heads(LEAVES, [200]), HEAD]
    (bundle / "checkpoints").write_text("\n".join(heads), encoding="utf-8")
    with pytest.raises(BundleBroken, match="has another root"):
        verify_bundle(bundle, KEYS)


# Row 10: heads of an earlier epoch


def epoch_keys(number: int) -> Ed25519Signer:
    return Ed25519Signer(f"{ORIGIN}/epoch-{number}", SIGNER.private_key)


def test_fault_10_a_bundle_proves_a_head_of_an_earlier_epoch_or_says_that_it_does_not_cover_it(
    tmp_path: Path,
) -> None:
    second = epoch_keys(2)
    keys: list[VerifierKey] = [SIGNER.verifier_key, second.verifier_key]
    heads = signed_heads(LEAVES, [250, 300], second)
    write_bundle(tmp_path / "b", checkpoints=heads, events=EVENTS, schemas={}, keys=keys)
    [before] = signed_heads(LEAVES, [200])
    proven = verify_bundle(tmp_path / "b", keys, since=[before])
    assert [(kept.origin, kept.size) for kept in proven.kept] == [(ORIGIN, 200)]
    parted = [*LEAVES[:220], *(b"given up %d" % number for number in range(180))]
    for size in (230, 300, 400):
        [lost] = signed_heads(parted, [size])
        with pytest.raises(BundleBroken, match=f"not covered by this log: {size} events of {ORIGIN}"):
            verify_bundle(tmp_path / "b", keys, since=[before, lost])
