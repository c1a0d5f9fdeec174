"""The public vectors, and trees held in memory."""

from collections.abc import Sequence
from pathlib import Path

from ledger.proofs.merkle import Frontier, NodeAt, leaf_hash

VECTORS = Path(__file__).parents[2] / "vectors"


class TreeInMemory:
    """A log whose complete nodes are kept in a dictionary, with the number of reads made."""

    def __init__(self, size: int) -> None:
        self.leaves = [leaf_hash(str(number).encode()) for number in range(size)]
        self.nodes = {
            NodeAt(level, number): stored for level, number, stored in Frontier().completed_by(self.leaves)
        }
        self.reads: list[int] = []

    def read_nodes(self, places: Sequence[NodeAt]) -> list[bytes]:
        self.reads.append(len(places))
        return [self.nodes[place] for place in places]
