"""tlog-scales, another implementation of C2SP tlog-tiles in Python, on a bundle of ours; and ours on its."""

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from our_bundle import OurBundle
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import PlainEd25519Signer, Vkey
from tlog_scales.tiles import leaf_hash
from tlog_scales.tlog import Checkpoint, ConsistencyProof, InclusionProof
from tlog_scales.writer import TilesWriter

from ledger.proofs.checkpoints import InclusionFile, open_checkpoint
from ledger.proofs.merkle import NodeAt, consistency_proof, inclusion_proof
from ledger.proofs.notes import VerifierKey
from ledger.proofs.tiles import TileReader, read_from


def read_theirs(bundle: OurBundle) -> tuple[TilesReader, Checkpoint]:
    reader = TilesReader(LocalBackend(bundle.directory))
    head = reader.get_checkpoint()
    head.verify(Vkey.from_string(bundle.key))
    return reader, head


def test_it_verifies_the_head_and_computes_the_same_root(bundle: OurBundle) -> None:
    reader, head = read_theirs(bundle)
    assert (head.origin, head.size) == (bundle.head.origin, bundle.head.size)
    assert reader.calculate_root_hash() == head.root_hash == bundle.head.root


def test_it_finds_every_entry_and_its_hash_in_the_tree(bundle: OurBundle) -> None:
    reader, head = read_theirs(bundle)
    for position in range(head.size):
        entry = reader.get_entry(position)
        assert entry == bundle.leaves[position]
        assert reader.mth(position, position + 1) == leaf_hash(entry)


@pytest.mark.parametrize("position", [0, 255, 256, 40_000, 65_535, 65_536, 65_999])
def test_its_inclusion_proof_is_ours_and_verifies_in_both(position: int, bundle: OurBundle) -> None:
    reader, head = read_theirs(bundle)
    ours = TileReader(read_from(bundle.directory), bundle.head)
    proof = inclusion_proof(position, bundle.head.size, ours.read_nodes)
    assert reader.get_inclusion_proof(position, head.size).node_hashes == proof

    leaf = leaf_hash(bundle.leaves[position])
    InclusionProof(position, head.size, proof).check(leaf, head.root_hash)
    file = InclusionFile(position, tuple(proof), bundle.heads[-1])
    assert file.verify(leaf, [VerifierKey.parse(bundle.key)]) == bundle.head


def test_it_proves_every_head_of_the_history_consistent(bundle: OurBundle) -> None:
    reader, head = read_theirs(bundle)
    ours = TileReader(read_from(bundle.directory), bundle.head)
    for signed in bundle.heads[:-1]:
        old = Checkpoint.from_text(signed)
        old.verify(Vkey.from_string(bundle.key))
        proof = consistency_proof(old.size, head.size, ours.read_nodes)
        assert reader.get_consistency_proof(old.size, head.size).node_hashes == proof
        ConsistencyProof(old.size, head.size, proof).check(old.root_hash, head.root_hash)


def test_it_refuses_a_head_of_ours_that_was_altered(bundle: OurBundle) -> None:
    altered = Checkpoint.from_text(bundle.heads[-1].replace("\n66000\n", "\n66001\n"))
    with pytest.raises(InvalidSignature):
        altered.verify(Vkey.from_string(bundle.key))


def test_a_log_that_it_wrote_verifies_with_ours(tmp_path: Path) -> None:
    signer = PlainEd25519Signer("theirs.example", bytes(32))
    writer = TilesWriter.create(tmp_path / "theirs", "theirs.example")
    for size in (1, 300, 1_000):
        while writer.size + len(writer.pending) < size:
            writer.add_leaf(str(writer.size + len(writer.pending)).encode())
        writer.commit([signer])
    signed = (tmp_path / "theirs/checkpoint").read_text(encoding="utf-8")
    head = open_checkpoint(signed, [VerifierKey.parse(signer.vkey.serialize())])
    reader = TileReader(read_from(tmp_path / "theirs"), head)
    assert reader.read_nodes([NodeAt(0, position) for position in range(1_000)]) == [
        leaf_hash(str(position).encode()) for position in range(1_000)
    ]
