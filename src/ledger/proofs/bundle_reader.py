"""A bundle's files, each checked: plain files, signed heads, payloads, entries and tiles.

The log must pass through every head of its history, and through those that the auditor kept. Payloads are
read one at a time, each behind its length as a big-endian 32-bit number; entries and tiles are compared with
what the leaves hash to.
"""

import heapq
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from ledger.proofs.bundle import (
    HEAD,
    HISTORY,
    MAX_PAYLOAD_BYTES,
    MAX_SUMS_BYTES,
    PAYLOAD_LENGTH_BYTES,
    PAYLOADS,
    SUMS,
    TILES,
    payload_path,
    read_history,
    sums_of,
    write_sums,
)
from ledger.proofs.checkpoints import Checkpoint, base_origin, open_signed, peek_checkpoint
from ledger.proofs.errors import BadNote, BadProof, BundleBroken
from ledger.proofs.merkle import HASH_BYTES
from ledger.proofs.notes import MAX_NOTE_BYTES, VerifierKey, is_signed_by_any
from ledger.proofs.tiles import (
    MAX_ENTRY_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Entries,
    Tile,
    parse_entries_path,
    parse_tile_path,
    read_from,
    split_entries,
    width_at,
)
from ledger.proofs.untrusted_files import open_plain, read_plain, text_of


def check_plain_files(directory: Path) -> None:
    """Refuse anything but folders and plain files: what a link leads to is no part of a bundle."""
    folders = [directory]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as found:
                for entry in found:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    elif not entry.is_file(follow_symlinks=False):
                        name = Path(entry.path).relative_to(directory).as_posix()
                        message = (
                            "it is a link or a device, no plain file: copy the bundle as it was exported"
                        )
                        raise BundleBroken(None, name, message)
        except OSError as error:
            raise BundleBroken(None, str(folder), f"it cannot be read ({error.strerror})") from error


def check_no_other_files(directory: Path, size: int) -> None:
    """Refuse files among tiles, entries and payloads that a log of `size` leaves does not have."""
    for folder in (TILES, PAYLOADS):
        for path in _files_below(directory / folder):
            name = path.relative_to(directory).as_posix()
            if not _belongs(name, size):
                raise BundleBroken(None, name, f"no such file belongs to a log of {size} events: remove it")


def check_loose_files(directory: Path) -> None:
    """Compare what is not part of the log (README, keys, schemas, history) with its sums."""
    try:
        written = text_of(read_plain(directory / SUMS, MAX_SUMS_BYTES))
        found = write_sums(sums_of(directory))
    except FileNotFoundError as error:
        raise BundleBroken(None, SUMS, "it is missing") from error
    except OSError as error:
        raise BundleBroken(None, SUMS, f"a file that it names cannot be read ({error.strerror})") from error
    except BadProof as error:
        raise BundleBroken(None, SUMS, str(error)) from error
    if found != written:
        differing = sorted(set(found.splitlines()) ^ set(written.splitlines()))
        name = differing[0].rpartition("  ")[2] if differing else SUMS
        raise BundleBroken(
            None, name, f"it is not the file that {SUMS} names: it was altered after the export"
        )


def _files_below(folder: Path) -> Iterator[Path]:
    """Walk a folder, one directory in memory at a time."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            yield from _files_below(path)
        else:
            yield path


def _belongs(name: str, size: int) -> bool:
    """Return whether a log of `size` leaves has this file."""
    tile = parse_tile_path(name)
    if tile is not None:
        return tile.width == width_at(tile.level, tile.number, size)
    entries = parse_entries_path(name.replace(f"{PAYLOADS}/", f"{TILES}/entries/", 1))
    return entries is not None and entries.width == width_at(0, entries.number, size)


KEPT = "the head kept"
_OTHER_KEYS = f"; heads older than a rotation need the retired key too, see {Path('verifier.keys')}"


class ExpectedHead(NamedTuple):
    """A head whose root the log must have at its size, and where it was found."""

    head: Checkpoint
    path: str
    note: str
    signed_by: tuple[VerifierKey, ...]
    """None where it is older than the keys that were given: only its root is compared."""

    @property
    def size(self) -> int:
        """The number of events that it covers."""
        return self.head.size

    @property
    def is_kept(self) -> bool:
        """Whether the auditor kept it."""
        return self.path == KEPT


def open_head(directory: Path, keys: Sequence[VerifierKey]) -> ExpectedHead:
    """Read the bundle's own head. Raises BundleBroken."""
    try:
        note = text_of(read_plain(directory / HEAD, MAX_NOTE_BYTES))
        return ExpectedHead(*_opened(note, keys, HEAD))
    except FileNotFoundError as error:
        message = "it is missing: this is no bundle, or its export did not finish"
        raise BundleBroken(None, HEAD, message) from error
    except OSError as error:
        raise BundleBroken(None, HEAD, "it cannot be read") from error
    except (BadNote, BadProof) as error:
        raise BundleBroken(None, HEAD, str(error)) from error


def expected_heads(
    directory: Path, head: Checkpoint, keys: Sequence[VerifierKey], since: Iterable[str]
) -> Iterator[ExpectedHead]:
    """Return each head that the log must pass through, by rising size, its signature checked.

    The position named by BundleBroken is that of the head before: from there on nothing is proven.
    """
    kept = sorted(open_kept(head, keys, since), key=_size)
    return heapq.merge(_history(directory, head, keys), kept, key=_size)


def open_kept(head: Checkpoint, keys: Sequence[VerifierKey], since: Iterable[str]) -> Iterator[ExpectedHead]:
    """Open the heads that the auditor kept, of any epoch of this log. Raises BundleBroken."""
    for signed in since:
        try:
            kept = ExpectedHead(*_opened(signed, keys, KEPT))
        except BadNote as error:
            raise BundleBroken(None, KEPT, f"{error}{_OTHER_KEYS}") from error
        if base_origin(kept.head.origin) != base_origin(head.origin):
            message = f"it is of the log {kept.head.origin}, the bundle of {head.origin}"
            raise BundleBroken(None, KEPT, message)
        yield kept


def _history(directory: Path, head: Checkpoint, keys: Sequence[VerifierKey]) -> Iterator[ExpectedHead]:
    last, signed_from = -1, -1
    try:
        with open_plain(directory / HISTORY) as opened:
            for note in read_history(opened):
                # Who was given the present key alone cannot check what an earlier one signed before it.
                if signed_from < 0 and not is_signed_by_any(note, keys):
                    past = ExpectedHead(peek_checkpoint(note), HISTORY, note, ())
                else:
                    past = ExpectedHead(*_opened(note, keys, HISTORY))
                    signed_from = past.size
                if past.head.origin != head.origin or not last < past.size <= head.size:
                    message = (
                        f"a head of {past.head.origin} and size {past.size} does not belong after size {last}"
                    )
                    raise BundleBroken(max(last, 0), HISTORY, message)
                last = past.size
                yield past
    except FileNotFoundError as error:
        raise BundleBroken(0, HISTORY, "it is missing") from error
    except OSError as error:
        raise BundleBroken(max(last, 0), HISTORY, "it cannot be read") from error
    except BadProof as error:
        raise BundleBroken(0, HISTORY, str(error)) from error
    except BadNote as error:
        raise BundleBroken(max(last, 0), HISTORY, f"{error}{_OTHER_KEYS}") from error
    if last != head.size:
        message = f"it ends at size {max(last, 0)}, before the head of size {head.size}"
        raise BundleBroken(max(last, 0), HISTORY, message)


def _opened(
    note: str, keys: Sequence[VerifierKey], path: str
) -> tuple[Checkpoint, str, str, tuple[VerifierKey, ...]]:
    head, signed_by = open_signed(note, keys)
    return head, path, note, signed_by


def _size(head: ExpectedHead) -> int:
    return head.size


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
        """Return the reader; the file is closed at the end of the block."""
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


class TreeFiles:
    """The files under `tile/` of a bundle whose head has `size` leaves. Keeps one tile a level in memory."""

    def __init__(self, directory: Path, size: int) -> None:
        """Read below this folder."""
        self._directory = directory
        self._read_path = read_from(directory)
        self._size = size
        self._open: dict[int, tuple[Tile, bytes]] = {}

    def read_entries(self, entries: Entries) -> tuple[Sequence[bytes], BundleBroken | None]:
        """Read a bundle of entries; at a fault, those before it."""
        first = entries.number * TILE_WIDTH
        limit = entries.width * (MAX_ENTRY_BYTES + 2)
        try:
            with open_plain(self._directory / entries.path) as opened:
                if os.fstat(opened.fileno()).st_size > limit:
                    return [], BundleBroken(first, entries.path, "it is larger than its entries can be")
                bundle = opened.read(limit)
        except (OSError, BadProof):
            return [], BundleBroken(first, entries.path, "it is missing or cannot be read")
        leaves, fault = split_entries(bundle, entries.width)
        if fault is None:
            return leaves, None
        return leaves, BundleBroken(first + min(len(leaves), entries.width - 1), entries.path, fault)

    def compare_leaves(self, entries: Entries, hashes: Sequence[bytes]) -> BundleBroken | None:
        """Compare leaf hashes with their tile; gives the first difference."""
        tile = Tile(0, entries.number, entries.width)
        found = self._read_path(tile.path)
        if found is not None and found == b"".join(hashes):
            return None
        return next(
            (
                fault
                for offset, computed in enumerate(hashes)
                if (fault := self._compare(tile, found, offset, computed))
            ),
            None,
        )

    def compare_above(self, rows: Iterable[tuple[int, int, Sequence[bytes]]], proven: int) -> None:
        """Compare the nodes that the log's growth completed with the tiles above the leaves.

        `proven`: the size of the last head passed; no position below it is at fault. Raises BundleBroken.
        """
        for level, first, row in rows:
            tile_level, within = divmod(level, TILE_HEIGHT)
            if within == 0 and tile_level > 0:
                for number, computed in enumerate(row, first):
                    self._compare_node(tile_level, number, computed, proven)

    def _compare_node(self, level: int, number: int, computed: bytes, proven: int) -> None:
        tile_number, offset = divmod(number, TILE_WIDTH)
        tile, found = self._open.get(level, (None, None))
        if tile is None or tile.number != tile_number:
            tile = Tile(level, tile_number, width_at(level, tile_number, self._size))
            found = self._read_path(tile.path)
            self._open[level] = (tile, found or b"")
        fault = self._compare(tile, found, offset, computed)
        if fault:
            raise BundleBroken(max(fault.position or 0, proven), fault.path, fault.reason)

    @staticmethod
    def _compare(tile: Tile, found: bytes | None, offset: int, computed: bytes) -> BundleBroken | None:
        position = (tile.number * TILE_WIDTH + offset) << (TILE_HEIGHT * tile.level)
        if not found:
            return BundleBroken(position, tile.path, "it is missing or empty")
        at = offset * HASH_BYTES
        if found[at : at + HASH_BYTES] != computed:
            what = (
                "the leaf" if tile.level == 0 else f"the {1 << (TILE_HEIGHT * tile.level)} leaves from here"
            )
            return BundleBroken(position, tile.path, f"{what} and the tile do not agree: one was altered")
        if offset == tile.width - 1 and len(found) != tile.width * HASH_BYTES:
            return BundleBroken(position, tile.path, f"it goes on after its {tile.width} hashes")
        return None
