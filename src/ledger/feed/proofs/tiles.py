"""Tiles (C2SP tlog-tiles): the tree and its entries as immutable files of at most 256 records.

A tile (L, N) holds up to 256 nodes of the tree's level 8·L, from node 256·N on. Entry bundles lie beside
them, each entry behind its length as a big-endian 16-bit number.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ledger.feed.proofs.merkle import HASH_BYTES, NodeAt
from ledger.feed.proofs.refused import BadTile

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_ENTRY_BYTES = 0xFFFF
MAX_LEVEL = 7
"""The highest tile level that a tree of fewer than 2⁶³ leaves has."""
_NUMBER = r"(?P<number>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
_NUMBER_PATH = re.compile(_NUMBER)
_TILE_PATH = re.compile(rf"tile/(?P<level>[0-7])/{_NUMBER}")
_ENTRIES_PATH = re.compile(rf"tile/entries/{_NUMBER}")
_LENGTH_BYTES = 2


class Tile(NamedTuple):
    """A tile of hashes: its level, its number in the level, and how many hashes it holds (1 to 256)."""

    level: int
    number: int
    width: int

    @property
    def path(self) -> str:
        """Where the tile lies: `tile/<L>/<N>[.p/<W>]`."""
        return f"tile/{self.level}/{number_path(self.number, self.width)}"

    @property
    def nodes(self) -> list[NodeAt]:
        """The places of the tile's hashes in the tree."""
        first = self.number * TILE_WIDTH
        return [NodeAt(self.level * TILE_HEIGHT, first + offset) for offset in range(self.width)]


class Entries(NamedTuple):
    """A bundle of entries: its number and how many entries it holds (1 to 256)."""

    number: int
    width: int

    @property
    def path(self) -> str:
        """Where the bundle lies: `tile/entries/<N>[.p/<W>]`."""
        return f"tile/entries/{number_path(self.number, self.width)}"


def number_path(number: int, width: int = TILE_WIDTH) -> str:
    """Write a number in groups of three digits, all but the last behind an `x`, and a partial width."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03d}")
    path = "/".join(reversed(groups))
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def parse_number_path(path: str) -> tuple[int, int] | None:
    """Read what `number_path` writes as (number, width); None if it is spelt otherwise."""
    match = _NUMBER_PATH.fullmatch(path)
    if match is None:
        return None
    number, width = int(match["number"].replace("x", "").replace("/", "")), int(match["width"] or TILE_WIDTH)
    return (number, width) if number_path(number, width) == path else None


def parse_tile_path(path: str) -> Tile | None:
    """Read a tile's path; None if it is no canonical one."""
    match = _TILE_PATH.fullmatch(path)
    place = parse_number_path(path.split("/", 2)[2]) if match else None
    return Tile(int(match["level"]), *place) if match and place else None


def parse_entries_path(path: str) -> Entries | None:
    """Read an entry bundle's path; None if it is no canonical one."""
    place = parse_number_path(path.split("/", 2)[2]) if _ENTRIES_PATH.fullmatch(path) else None
    return Entries(*place) if place else None


def entries_of(size: int, first: int = 0) -> Iterator[Entries]:
    """Name the entry bundles of a log of `size` leaves, from the bundle that holds the leaf `first` on."""
    for number in range(first // TILE_WIDTH, -(-size // TILE_WIDTH)):
        yield Entries(number, min(TILE_WIDTH, size - number * TILE_WIDTH))


def tiles_touched(old_size: int, new_size: int) -> Iterator[Tile]:
    """Name the tiles that a growth from `old_size` to `new_size` leaves adds or widens, level by level.

    From an old size of 0 these are all the tiles of the tree. None is empty.
    """
    for level in range(MAX_LEVEL + 1):
        old, new = (size >> (TILE_HEIGHT * level) for size in (old_size, new_size))
        if new > old:
            for number, width in entries_of(new, old):
                yield Tile(level, number, width)


def width_at(level: int, number: int, size: int) -> int:
    """Say how many hashes a tile of a tree of `size` leaves holds: 0 where there is no such tile."""
    return max(0, min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - number * TILE_WIDTH))


def split_hashes(tile: bytes) -> list[bytes]:
    """Part a tile into its hashes. Raises BadTile."""
    if len(tile) % HASH_BYTES:
        message = f"a tile's length must be a multiple of {HASH_BYTES} bytes"
        raise BadTile(message)
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def join_entries(entries: Iterable[bytes]) -> bytes:
    """Write a bundle of entries. Raises ValueError for an entry of more than 65,535 bytes."""
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            message = f"an entry of {len(entry)} bytes does not fit a bundle (at most {MAX_ENTRY_BYTES})"
            raise ValueError(message)
        parts += (len(entry).to_bytes(_LENGTH_BYTES, "big"), entry)
    return b"".join(parts)


def split_entries(bundle: bytes, width: int) -> tuple[list[bytes], str | None]:
    """Part a bundle into its `width` entries, with what is wrong with it, if anything.

    At a fault, the entries before it are given: the next one is the first that cannot be read.
    """
    entries: list[bytes] = []
    at, end = 0, len(bundle)
    while len(entries) < width:
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(bundle[at:start], "big")
        if start > end or at > end:
            return entries, f"the bundle ends before its entry {len(entries) + 1} of {width}"
        entries.append(bundle[start:at])
    return entries, None if at == end else f"the bundle goes on after its {width} entries"


def read_entries(bundle: bytes, width: int) -> Sequence[bytes]:
    """Part a bundle into its `width` entries. Raises BadTile."""
    entries, fault = split_entries(bundle, width)
    if fault:
        raise BadTile(fault)
    return entries
