"""The Merkle tree of RFC 9162 §2.1 with SHA-256: hashes, complete nodes, roots.

A node stands at (level, number): level 0 are the leaves, and the node (l, i) covers the leaves
[i·2ˡ, (i+1)·2ˡ). A node is complete when all of them exist; a complete node never changes, so only
complete nodes are ever stored, and every root and proof is folded from O(log n) of them.

Inclusion and consistency proofs of RFC 9162 §2.1.3 and §2.1.4: made from stored nodes, and verified.

A proof is made with one read of O(log n) complete nodes. Verification is strict: every hash has 32 bytes,
no proof is longer or shorter than it must be, and a consistency proof from the empty tree proves nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from ledger.proofs.errors import BadProof

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


class NodeAt(NamedTuple):
    """The place of a node in the tree."""

    level: int
    number: int


class Node(NamedTuple):
    """A complete node: its place and its hash."""

    level: int
    number: int
    hash: bytes


ReadNodes = Callable[[Sequence[NodeAt]], Sequence[bytes]]
"""Gives the hashes of complete nodes, in the order asked for. Called once a root or proof."""


def leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf: SHA-256(0x00 ‖ leaf)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash a node: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def leaf_hashes(leaves: Sequence[bytes]) -> list[bytes]:
    """Hash many leaves at once, for speed."""
    return [sha256(b"\x00" + leaf).digest() for leaf in leaves]


def range_nodes(start: int, end: int) -> list[NodeAt]:
    """Return the complete nodes that cover the leaves [start, end), from left to right.

    `start` must be a multiple of a power of two that is not below the range's length, as it is for every
    range of which a root or a proof is made.
    """
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append(NodeAt(level, start >> level))
        start += 1 << level
    return nodes


def frontier_nodes(size: int) -> list[NodeAt]:
    """Return the complete nodes from which the root of a tree of `size` leaves is folded, left to right."""
    return range_nodes(0, size)


def fold_range(hashes: Sequence[bytes]) -> bytes:
    """Fold the complete nodes of a range (see `range_nodes`) into the root of that range."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def root_from_nodes(size: int, read_nodes: ReadNodes) -> bytes:
    """Return the root of the first `size` leaves from stored complete nodes: one read of O(log n) nodes."""
    return fold_range(read_checked(read_nodes, frontier_nodes(size)))


def read_checked(read_nodes: ReadNodes, nodes: Sequence[NodeAt]) -> list[bytes]:
    """Read nodes, refusing an answer that is not one SHA-256 hash a node. Raises BadProof."""
    if not nodes:
        return []
    hashes = [bytes(stored) for stored in read_nodes(nodes)]
    if len(hashes) != len(nodes) or any(len(stored) != HASH_BYTES for stored in hashes):
        message = f"the log's stored nodes are incomplete: {len(nodes)} asked for, {len(hashes)} given"
        raise BadProof(message)
    return hashes


class Frontier:
    """A tree that only grows: its size and the complete nodes that its root is folded from.

    Constant memory: at most one node a level.
    """

    def __init__(self, size: int = 0, nodes: Mapping[int, bytes] | None = None) -> None:
        """Start from a tree of `size` leaves whose frontier is `nodes` (level → hash); by default empty."""
        self.size = size
        self._nodes = dict(nodes or {})
        if set(self._nodes) != {level for level, _ in frontier_nodes(size)}:
            message = f"these are not the frontier's nodes of a tree of {size} leaves"
            raise ValueError(message)

    @classmethod
    def read(cls, size: int, read_nodes: ReadNodes) -> "Frontier":
        """Take the frontier of a stored tree of `size` leaves: one read of O(log n) nodes."""
        places = frontier_nodes(size)
        hashes = read_checked(read_nodes, places)
        return cls(size, {place.level: stored for place, stored in zip(places, hashes, strict=True)})

    @property
    def nodes(self) -> dict[int, bytes]:
        """The frontier, level → hash: enough to go on from here later."""
        return dict(self._nodes)

    def root(self) -> bytes:
        """Return the root as the tree stands."""
        return fold_range([self._nodes[level] for level in sorted(self._nodes, reverse=True)])

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Append leaf hashes, many at once."""
        for _ in self.grow(leaves):
            pass

    def completed_by(self, leaves: Sequence[bytes]) -> list[Node]:
        """Append leaf hashes and give each node that they complete, leaves included, level by level."""
        return [
            Node(level, first + offset, completed)
            for level, first, row in self.grow(leaves)
            for offset, completed in enumerate(row)
        ]

    def grow(self, leaves: Sequence[bytes]) -> Iterator[tuple[int, int, Sequence[bytes]]]:
        """Append leaf hashes and give the nodes completed as (level, number of the first, hashes in a row).

        The rows must be read to the end. Pairing whole rows is what makes the bulk path fast.
        """
        level, first, row = 0, self.size, leaves
        self.size += len(leaves)
        while row:
            yield level, first, row
            if first & 1:
                row = [self._nodes.pop(level), *row]
            if len(row) & 1:
                self._nodes[level] = row[-1]
            row = [
                sha256(b"\x01" + left + right).digest()
                for left, right in zip(row[0::2], row[1::2], strict=False)  # an odd last one waits
            ]
            level, first = level + 1, first >> 1


def complete_nodes(size_before: int, leaves: Sequence[bytes], read_nodes: ReadNodes) -> list[Node]:
    """Return exactly the nodes that appending these leaf hashes completes, leaves (level 0) included.

    `size_before` is the tree's size so far; `read_nodes` is called at most once, for its frontier.
    Appending n leaves one at a time or at once completes the same nodes: fewer than 2n in all.
    """
    return Frontier.read(size_before, read_nodes).completed_by(leaves)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root of these leaf hashes: MTH of RFC 9162 §2.1.1."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


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
    """Return the largest power of two below `length`: where RFC 9162 parts a tree."""
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
    """Return the root of each range, reading the nodes of all of them at once."""
    places: list[list[NodeAt]] = [range_nodes(start, end) for start, end in ranges]
    hashes = iter(read_checked(read_nodes, [place for nodes in places for place in nodes]))
    return [fold_range([next(hashes) for _ in nodes]) for nodes in places]
