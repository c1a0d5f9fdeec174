"""How leaves hang together: each names the leaf before it in its stream, and versions have no gaps."""

from collections.abc import Mapping
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

    def __init__(self, book: str | None = None, heads: Mapping[str, StreamHead] | None = None) -> None:
        """Begin before the log's first leaf, or where an earlier pass over it broke off."""
        self.book = book
        self._heads: dict[str, tuple[int, bytes]] = dict(heads or {})

    def __len__(self) -> int:
        """Give the number of streams."""
        return len(self._heads)

    def head(self, stream: str) -> StreamHead | None:
        """Give the newest leaf of a stream; None if the log holds none."""
        head = self._heads.get(stream)
        return head and StreamHead(*head)

    @property
    def heads(self) -> dict[str, StreamHead]:
        """The newest leaf of each stream: with `book`, enough to go on from here later."""
        return {stream: StreamHead(*head) for stream, head in self._heads.items()}

    def follow(self, leaf: Leaf, leaf_hash: bytes) -> None:
        """Take the next leaf of the log. Raises BrokenChain if it does not follow on its stream."""
        version, newest = self._heads.get(leaf.stream, (0, b""))
        if leaf.version != version + 1:
            message = f"{leaf.stream} goes from version {version} to {leaf.version}"
            raise BrokenChain(message)
        if leaf.prev is not None and leaf.prev != newest.hex():
            message = f"{leaf.stream} version {leaf.version} does not name the leaf of version {version}"
            raise BrokenChain(message)
        if leaf.book != self.book:
            if self.book is not None:
                message = f"a leaf of book {leaf.book!r} in the log of book {self.book!r}"
                raise BrokenChain(message)
            self.book = leaf.book
        self._heads[leaf.stream] = (leaf.version, leaf_hash)
