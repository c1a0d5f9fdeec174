"""Inclusion and consistency proofs of RFC 9162 §2.1.3 and §2.1.4: made from stored nodes, and verified.

A proof is made with one read of O(log n) complete nodes. Verification is strict: every hash has 32 bytes,
no proof is longer or shorter than it must be, and a consistency proof from the empty tree proves nothing.
"""

from collections.abc import Sequence

from ledger.feed.proofs.merkle import (
    HASH_BYTES,
    NodeAt,
    ReadNodes,
    fold_range,
    node_hash,
    range_nodes,
    read_checked,
)
from ledger.feed.proofs.refused import BadProof

_Range = tuple[int, int]


def inclusion_proof(index: int, size: int, read_nodes: ReadNodes) -> list[bytes]:
    """Prove that the leaf at `index` stands in the tree of `size` leaves.

    From the leaf's sibling up to the root's child. Raises ValueError if there is no such leaf, BadProof if
    stored nodes are missing.
    """
    if not 0 <= index < size:
        message = f"no leaf {index} in a tree of {size} leaves"
        raise ValueError(message)
    siblings: list[_Range] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            siblings.append((split, end))
            end = split
        else:
            siblings.append((start, split))
            start = split
    return _read_ranges(siblings[::-1], read_nodes)


def consistency_proof(old_size: int, new_size: int, read_nodes: ReadNodes) -> list[bytes]:
    """Prove that the tree of `new_size` leaves begins with the tree of `old_size` leaves.

    Empty when the sizes are equal. Raises ValueError unless 1 ≤ old_size ≤ new_size, BadProof if stored
    nodes are missing.
    """
    if not 1 <= old_size <= new_size:
        message = f"no consistency proof from {old_size} to {new_size} leaves"
        raise ValueError(message)
    ranges: list[_Range] = []
    start, end = 0, new_size
    while old_size != end:
        split = start + _split(end - start)
        if old_size <= split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    if start > 0:
        ranges.append((start, end))
    return _read_ranges(ranges[::-1], read_nodes)


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf hash stands at `index` in the tree of that size and root. Raises BadProof."""
    _check_hashes(leaf, root, *proof)
    if not 0 <= index < size:
        message = f"the tree of {size} leaves has no leaf {index}"
        raise BadProof(message)
    place, last, reached = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            message = f"the inclusion proof of leaf {index} in {size} is too long"
            raise BadProof(message)
        if place & 1 or place == last:
            reached = node_hash(sibling, reached)
            place, last = _up_to_left_sibling(place, last)
        else:
            reached = node_hash(reached, sibling)
        place, last = place >> 1, last >> 1
    if last != 0:
        message = f"the inclusion proof of leaf {index} in {size} is too short"
        raise BadProof(message)
    if reached != root:
        message = f"leaf {index} is not in the tree of {size} leaves with this root"
        raise BadProof(message)


def verify_consistency(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of `new_size` leaves begins with the tree of `old_size` leaves. Raises BadProof."""
    _check_hashes(old_root, new_root, *proof)
    if not 1 <= old_size <= new_size:
        message = f"nothing proves {new_size} leaves consistent with {old_size}"
        raise BadProof(message)
    if old_size == new_size:
        if proof or old_root != new_root:
            message = f"two roots or a proof given for one size ({old_size}): the log is forked"
            raise BadProof(message)
        return
    old_reached, new_reached = _climb_both(old_size, new_size, old_root, proof)
    if old_reached != old_root or new_reached != new_root:
        message = f"the tree of {new_size} leaves does not begin with the tree of {old_size} leaves"
        raise BadProof(message)


def _climb_both(old_size: int, new_size: int, old_root: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Fold the proof into both roots: RFC 9162 §2.1.4.2 for 0 < old_size < new_size."""
    if not proof:
        message = f"the consistency proof from {old_size} to {new_size} is empty"
        raise BadProof(message)
    # A perfect old tree is itself the first node of the path, so the proof leaves it out.
    first, *path = [old_root, *proof] if old_size & (old_size - 1) == 0 else proof
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_reached = new_reached = first
    for node in path:
        if last == 0:
            message = f"the consistency proof from {old_size} to {new_size} is too long"
            raise BadProof(message)
        if place & 1 or place == last:
            old_reached, new_reached = node_hash(node, old_reached), node_hash(node, new_reached)
            place, last = _up_to_left_sibling(place, last)
        else:
            new_reached = node_hash(new_reached, node)
        place, last = place >> 1, last >> 1
    if last != 0:
        message = f"the consistency proof from {old_size} to {new_size} is too short"
        raise BadProof(message)
    return old_reached, new_reached


def _split(length: int) -> int:
    """Give the largest power of two below `length`: where RFC 9162 parts a tree."""
    return 1 << ((length - 1).bit_length() - 1)


def _up_to_left_sibling(place: int, last: int) -> _Range:
    """Climb the right edge while it has no sibling on the right."""
    while place and not place & 1:
        place, last = place >> 1, last >> 1
    return place, last


def _check_hashes(*hashes: bytes) -> None:
    if any(len(given) != HASH_BYTES for given in hashes):
        message = f"a hash of a proof or a root must have {HASH_BYTES} bytes"
        raise BadProof(message)


def _read_ranges(ranges: Sequence[_Range], read_nodes: ReadNodes) -> list[bytes]:
    """Give the root of each range, reading the nodes of all of them at once."""
    places: list[list[NodeAt]] = [range_nodes(start, end) for start, end in ranges]
    hashes = iter(read_checked(read_nodes, [place for nodes in places for place in nodes]))
    return [fold_range([next(hashes) for _ in nodes]) for nodes in places]
