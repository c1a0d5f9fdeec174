"""The Merkle tree of RFC 9162 §2.1 with SHA-256: hashes, complete nodes, roots.

A node stands at (level, number): level 0 are the leaves, and the node (l, i) covers the leaves
[i·2ˡ, (i+1)·2ˡ). A node is complete when all of them exist; a complete node never changes, so only
complete nodes are ever stored, and every root and proof is folded from O(log n) of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from ledger.feed.proofs.refused import BadProof

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
    """Name the complete nodes that cover the leaves [start, end), from left to right.

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
    """Name the complete nodes from which the root of a tree of `size` leaves is folded, left to right."""
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
    """Give the root of the first `size` leaves from stored complete nodes: one read of O(log n) nodes."""
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
        """Give the root as the tree stands."""
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
    """Give exactly the nodes that appending these leaf hashes completes, leaves (level 0) included.

    `size_before` is the tree's size so far; `read_nodes` is called at most once, for its frontier.
    Appending n leaves one at a time or at once completes the same nodes: fewer than 2n in all.
    """
    return Frontier.read(size_before, read_nodes).completed_by(leaves)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Give the root of these leaf hashes: MTH of RFC 9162 §2.1.1."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()
