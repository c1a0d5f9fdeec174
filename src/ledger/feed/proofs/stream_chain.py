"""How leaves hang together: each names the leaf before it in its stream, and versions have no gaps."""

from typing import NamedTuple

from ledger.feed.proofs.leaf import Leaf
from ledger.feed.proofs.refused import BrokenChain


class StreamHead(NamedTuple):
    """The newest leaf of a stream that has been read so far."""

    version: int
    leaf_hash: bytes


class StreamChains:
    """The heads of all streams of one log, as its leaves go by in the order of their positions.

    Memory grows with the number of streams (about 300 bytes each), not with the number of events.
    """

    def __init__(self) -> None:
        """Begin before the log's first leaf."""
        self.book: str | None = None
        self._heads: dict[str, tuple[int, bytes, int]] = {}
        self._position = 0

    def __len__(self) -> int:
        """Give the number of streams."""
        return len(self._heads)

    def head(self, stream: str) -> StreamHead | None:
        """Give the newest leaf of a stream; None if the log holds none."""
        head = self._heads.get(stream)
        return head and StreamHead(*head[:2])

    def follow(self, leaf: Leaf, leaf_hash: bytes) -> None:
        """Take the next leaf of the log. Raises BrokenChain if it does not follow on its stream."""
        version, newest, position = self._heads.get(leaf.stream, (0, b"", -1))
        if leaf.version != version + 1:
            message = f"{leaf.stream} goes from version {version} to {leaf.version}"
            raise BrokenChain(message, position + 1 if leaf.version > version else None)
        if leaf.prev is not None and leaf.prev != newest.hex():
            message = f"{leaf.stream} version {leaf.version} does not name the leaf of version {version}"
            raise BrokenChain(message)
        if leaf.book != self.book:
            if self.book is not None:
                message = f"a leaf of book {leaf.book!r} in the log of book {self.book!r}"
                raise BrokenChain(message)
            self.book = leaf.book
        self._heads[leaf.stream] = (leaf.version, leaf_hash, self._position)
        self._position += 1
