"""The tree: nodes, roots and proofs, against the RFC's own recursive definition and by properties."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proof_samples import TreeInMemory

from ledger.proofs.errors import BadProof
from ledger.proofs.merkle import (
    EMPTY_ROOT,
    Frontier,
    NodeAt,
    complete_nodes,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_from_nodes,
    root_of,
    verify_consistency,
    verify_inclusion,
)

TREE = TreeInMemory(1_200)
SIZES = st.integers(1, 1_200)


def root_by_definition(hashes: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162 §2.1.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    left, right = root_by_definition(hashes[:split]), root_by_definition(hashes[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def flip(raw: bytes, bit: int) -> bytes:
    return (int.from_bytes(raw, "big") ^ (1 << bit)).to_bytes(len(raw), "big")


def test_hashes_are_those_of_the_rfc() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert node_hash(b"a" * 32, b"b" * 32) == hashlib.sha256(b"\x01" + b"a" * 32 + b"b" * 32).digest()


@pytest.mark.parametrize("size", [*range(70), 255, 256, 257, 511, 1_000])
def test_a_root_is_the_one_of_the_definition_however_it_is_computed(size: int, tree: TreeInMemory) -> None:
    expected = root_by_definition(tree.leaves[:size])
    assert root_of(tree.leaves[:size]) == expected
    assert root_from_nodes(size, tree.read_nodes) == expected


@given(st.lists(st.integers(0, 40), max_size=12))
def test_appending_in_any_portions_completes_the_same_nodes(portions: list[int]) -> None:
    stored: dict[NodeAt, bytes] = {}
    size = 0
    for portion in portions:
        added = complete_nodes(
            size, TREE.leaves[size : size + portion], lambda places: [stored[place] for place in places]
        )
        for level, number, completed in added:
            assert NodeAt(level, number) not in stored
            stored[NodeAt(level, number)] = completed
        size += portion
    assert stored == {
        place: kept for place, kept in TREE.nodes.items() if (place.number + 1) << place.level <= size
    }
    assert len(stored) <= 2 * size


def test_a_frontier_taken_up_again_goes_on_to_the_same_root() -> None:
    first = Frontier()
    first.extend(TREE.leaves[:333])
    second = Frontier(first.size, first.nodes)
    second.extend(TREE.leaves[333:777])
    assert second.root() == root_by_definition(TREE.leaves[:777])
    with pytest.raises(ValueError, match="frontier"):
        Frontier(334, first.nodes)


@given(SIZES, st.data())
def test_any_leaf_of_any_size_is_proven_and_any_flipped_bit_refused(size: int, draw: st.DataObject) -> None:
    index = draw.draw(st.integers(0, size - 1))
    leaf, root = TREE.leaves[index], root_from_nodes(size, TREE.read_nodes)
    proof = inclusion_proof(index, size, TREE.read_nodes)
    verify_inclusion(index, size, leaf, proof, root)

    given_hashes = [leaf, root, *proof]
    place, bit = draw.draw(st.integers(0, len(given_hashes) - 1)), draw.draw(st.integers(0, 255))
    given_hashes[place] = flip(given_hashes[place], bit)
    with pytest.raises(BadProof):
        verify_inclusion(index, size, given_hashes[0], given_hashes[2:], given_hashes[1])
    with pytest.raises(BadProof):
        verify_inclusion(index, size, leaf, [*proof, root], root)
    for other in {index - 1, index + 1, index ^ 2, -1, size} - {index}:
        with pytest.raises(BadProof):
            verify_inclusion(other, size, leaf, proof, root)


@given(SIZES, SIZES, st.data())
def test_any_two_sizes_are_consistent_and_any_flipped_bit_refused(
    one: int, other: int, draw: st.DataObject
) -> None:
    old, new = sorted((one, other))
    old_root, new_root = (root_from_nodes(size, TREE.read_nodes) for size in (old, new))
    proof = consistency_proof(old, new, TREE.read_nodes)
    verify_consistency(old, new, old_root, new_root, proof)

    given_hashes = [old_root, new_root, *proof]
    place, bit = draw.draw(st.integers(0, len(given_hashes) - 1)), draw.draw(st.integers(0, 255))
    given_hashes[place] = flip(given_hashes[place], bit)
    with pytest.raises(BadProof):
        verify_consistency(old, new, given_hashes[0], given_hashes[1], given_hashes[2:])
    with pytest.raises(BadProof):
        verify_consistency(old, new, old_root, new_root, [*proof, old_root])
    if proof:
        with pytest.raises(BadProof):
            verify_consistency(old, new, old_root, new_root, proof[:-1])


@given(st.integers(2, 1_200), st.data())
def test_a_fork_has_no_consistency_proof(new: int, draw: st.DataObject) -> None:
    old = draw.draw(st.integers(1, new - 1))
    changed = draw.draw(st.integers(0, old - 1))
    forked = list(TREE.leaves[:old])
    forked[changed] = leaf_hash(b"forked")
    with pytest.raises(BadProof):
        verify_consistency(
            old,
            new,
            root_of(forked),
            root_from_nodes(new, TREE.read_nodes),
            consistency_proof(old, new, TREE.read_nodes),
        )


def test_a_root_and_a_proof_take_one_read_of_few_nodes(tree: TreeInMemory) -> None:
    tree.reads.clear()
    root_from_nodes(1_199, tree.read_nodes)
    inclusion_proof(700, 1_199, tree.read_nodes)
    consistency_proof(700, 1_199, tree.read_nodes)
    assert len(tree.reads) == 3
    assert max(tree.reads) <= 2 * 11


def test_nothing_is_proven_of_leaves_that_are_not_there(tree: TreeInMemory) -> None:
    for index, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion_proof(index, size, tree.read_nodes)
    for old, new in ((0, 5), (6, 5)):
        with pytest.raises(ValueError, match="no consistency proof"):
            consistency_proof(old, new, tree.read_nodes)


def test_stored_nodes_of_another_length_are_refused() -> None:
    with pytest.raises(BadProof, match="incomplete"):
        root_from_nodes(5, lambda places: [b"short"] * len(places))
    with pytest.raises(BadProof, match="incomplete"):
        root_from_nodes(5, lambda _: [])
