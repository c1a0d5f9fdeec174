"""Proofs as files: what is written reads back, verifies, and nothing malformed is taken."""

import pytest
from proof_samples import TreeInMemory
from test_proofs_notes import KEY, ORIGIN, OTHER, SIGNER

from ledger.proofs.checkpoints import Checkpoint, ConsistencyFile, InclusionFile, sign_checkpoint
from ledger.proofs.errors import BadNote, BadProof
from ledger.proofs.merkle import EMPTY_ROOT, consistency_proof, inclusion_proof, root_from_nodes

TREE = TreeInMemory(100)


def head(size: int, origin: str = ORIGIN) -> Checkpoint:
    return Checkpoint(origin, size, root_from_nodes(size, TREE.read_nodes))


def signed(size: int) -> str:
    return sign_checkpoint(head(size), [SIGNER])


def inclusion(index: int, size: int, extra: bytes | None = None) -> InclusionFile:
    return InclusionFile(index, tuple(inclusion_proof(index, size, TREE.read_nodes)), signed(size), extra)


def consistency(old: int, new: int) -> ConsistencyFile:
    proof = consistency_proof(old, new, TREE.read_nodes) if old else []
    return ConsistencyFile(old, tuple(proof), signed(new))


def test_an_inclusion_file_has_the_lines_of_the_specification() -> None:
    lines = str(inclusion(2, 5, extra=b"context")).split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra Y29udGV4dA==", "index 2"]
    assert lines[6] == ""
    assert lines[7:9] == [ORIGIN, "5"]
    assert "extra" not in str(inclusion(2, 5))


@pytest.mark.parametrize(("index", "size"), [(0, 1), (2, 5), (63, 64), (99, 100)])
def test_an_inclusion_file_reads_back_and_verifies(index: int, size: int) -> None:
    written = inclusion(index, size)
    read = InclusionFile.parse(str(written))
    assert read == written
    assert read.verify(TREE.leaves[index], [KEY]) == head(size)


def test_an_inclusion_file_of_another_leaf_or_another_key_is_refused() -> None:
    with pytest.raises(BadProof, match="not in the tree"):
        inclusion(2, 5).verify(TREE.leaves[3], [KEY])
    with pytest.raises(BadNote, match="trusted key"):
        inclusion(2, 5).verify(TREE.leaves[2], [OTHER.verifier_key])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
        ("index 2", "index 02"),
        ("index 2", "index -2"),
        ("index 2", "Index 2"),
        ("index 2\n", "index 2\nAAAA\n"),
        ("index 2\n", "index 2\n" + "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n" * 61),
        ("index 2", "extra ?\nindex 2"),
    ],
)
def test_a_malformed_inclusion_file_is_refused(old: str, new: str) -> None:
    with pytest.raises(BadProof):
        InclusionFile.parse(str(inclusion(2, 5)).replace(old, new))


def test_a_consistency_file_is_the_body_that_a_witness_takes() -> None:
    lines = str(consistency(3, 7)).split("\n")
    assert lines[0] == "old 3"
    assert lines[lines.index("") + 1 :][:2] == [ORIGIN, "7"]


@pytest.mark.parametrize(("old", "new"), [(0, 5), (1, 1), (3, 7), (64, 100)])
def test_a_consistency_file_reads_back_and_verifies(old: int, new: int) -> None:
    read = ConsistencyFile.parse(str(consistency(old, new)))
    assert read == consistency(old, new)
    kept = head(old) if old else None
    assert read.verify(kept, [KEY]) == head(new)


def test_a_consistency_file_from_another_head_is_refused() -> None:
    file = consistency(3, 7)
    with pytest.raises(BadProof, match="starts from size 3"):
        file.verify(head(4), [KEY])
    with pytest.raises(BadProof, match="starts from size 3"):
        file.verify(None, [KEY])
    with pytest.raises(BadProof, match="does not begin with"):
        file.verify(Checkpoint(ORIGIN, 3, b"\1" * 32), [KEY])
    with pytest.raises(BadProof, match="of the log"):
        file.verify(head(3, "other.example"), [KEY])
    with pytest.raises(BadProof, match="no lines"):
        ConsistencyFile(0, (b"\0" * 32,), signed(7)).verify(Checkpoint(ORIGIN, 0, EMPTY_ROOT), [KEY])
