"""Reads a bundle's payloads one at a time, each behind its length as a big-endian 32-bit number."""

from pathlib import Path
from types import TracebackType
from typing import Self

from ledger.feed.proofs.bundle.layout import MAX_PAYLOAD_BYTES, PAYLOAD_LENGTH_BYTES, payload_path
from ledger.feed.proofs.given_files import open_plain
from ledger.feed.proofs.refused import BadProof, BundleBroken
from ledger.feed.proofs.tiles import TILE_WIDTH, Entries


class PayloadReader:
    """The payloads beside one bundle of entries, in the order of their positions."""

    def __init__(self, directory: Path, entries: Entries) -> None:
        """Open the payload file that lies beside these entries. Raises BundleBroken."""
        self.path = payload_path(entries)
        self._position = entries.number * TILE_WIDTH
        try:
            self._opened = open_plain(directory / self.path)
        except OSError as error:
            raise BundleBroken(self._position, self.path, "it is missing or cannot be read") from error
        except BadProof as error:
            raise BundleBroken(self._position, self.path, str(error)) from error

    def __enter__(self) -> Self:
        """Give the reader; the file is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._opened.close()

    def read(self) -> bytes:
        """Read the payload of the next position. Raises BundleBroken."""
        prefix = self._opened.read(PAYLOAD_LENGTH_BYTES)
        length = int.from_bytes(prefix, "big")
        if len(prefix) == PAYLOAD_LENGTH_BYTES and length <= MAX_PAYLOAD_BYTES:
            payload = self._opened.read(length)
            if len(payload) == length:
                self._position += 1
                return payload
        message = "the file ends before this payload, or gives it an impossible length"
        raise BundleBroken(self._position, self.path, message)

    def finish(self) -> None:
        """Check that nothing follows the last payload. Raises BundleBroken."""
        if self._opened.read(1):
            raise BundleBroken(self._position - 1, self.path, "the file goes on after its last payload")
