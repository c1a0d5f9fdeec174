"""The streams that an import works on, kept in memory from one chunk to the next."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

from ledger.decision import Standing
from ledger.domain.identifiers import StreamRef

MOST_STREAMS: Final = 20_000
"""Some 6 kB a stream: the memory of an import is bounded."""


class StreamCache:
    """Streams as this import left them; the ones not used for longest are forgotten first."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        """Keep at most so many streams."""
        self._most = most
        self._kept: OrderedDict[StreamRef, Standing] = OrderedDict()

    def get(self, ref: StreamRef) -> Standing | None:
        """Give a stream, None where it has to be loaded."""
        found = self._kept.get(ref)
        if found is not None:
            self._kept.move_to_end(ref)
        return found

    def missing(self, refs: Iterable[StreamRef]) -> list[StreamRef]:
        """Name those that have to be loaded, each once."""
        return [ref for ref in dict.fromkeys(refs) if ref not in self._kept]

    def keep(self, streams: Mapping[StreamRef, Standing]) -> None:
        """Keep streams as they stand now."""
        self._kept.update(streams)

    def trim(self) -> None:
        """Forget what is too much; only between chunks, so that a chunk finds all that it loaded."""
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def forget(self) -> None:
        """Forget all: somebody else has written."""
        self._kept.clear()
