"""Tiles (C2SP tlog-tiles): the tree and its entries as immutable files of at most 256 records.

A tile (L, N) holds up to 256 nodes of the tree's level 8·L, from node 256·N on. Entry bundles lie beside
them, each entry behind its length as a big-endian 16-bit number.

Nobody needs to trust the tiles that a tree is read from: every one is checked against the root before use.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ledger.proofs.checkpoints import Checkpoint
from ledger.proofs.errors import BadProof, BadTile
from ledger.proofs.merkle import HASH_BYTES, NodeAt, fold_range, frontier_nodes, root_of
from ledger.proofs.untrusted_files import open_plain

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
    """Yield the entry bundles of a log of `size` leaves, from the bundle that holds the leaf `first` on."""
    for number in range(first // TILE_WIDTH, -(-size // TILE_WIDTH)):
        yield Entries(number, min(TILE_WIDTH, size - number * TILE_WIDTH))


def tiles_touched(old_size: int, new_size: int) -> Iterator[Tile]:
    """Yield the tiles that a growth from `old_size` to `new_size` leaves adds or widens, level by level.

    From an old size of 0 these are all the tiles of the tree. None is empty.
    """
    for level in range(MAX_LEVEL + 1):
        old, new = (size >> (TILE_HEIGHT * level) for size in (old_size, new_size))
        if new > old:
            for number, width in entries_of(new, old):
                yield Tile(level, number, width)


def width_at(level: int, number: int, size: int) -> int:
    """Return how many hashes a tile of a tree of `size` leaves holds: 0 where there is no such tile."""
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


ReadPath = Callable[[str], bytes | None]
"""Gives a file's bytes by its path inside the log (`tile/0/000`), None where there is none."""

_KEPT_TILES = 64


def read_from(directory: Path) -> ReadPath:
    """Read tiles from a folder; no more of a file than shows that it is too large."""

    def read(path: str) -> bytes | None:
        try:
            with open_plain(directory / path) as opened:
                return opened.read(TILE_WIDTH * HASH_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, BadProof) as error:
            message = f"{path} cannot be read"
            raise BadTile(message) from error

    return read


class TileReader:
    """Serves the complete nodes of a log from its tiles; `read_nodes` fits every root and proof here.

    The rightmost tiles are checked together against the checkpoint's root, every other one against its
    hash in the tile above. Raises BadTile where a tile is missing or not part of the tree.
    """

    def __init__(self, read_path: ReadPath, checkpoint: Checkpoint) -> None:
        """Open the tiles under a checkpoint that the caller has verified."""
        self._read_path = read_path
        self._size = checkpoint.size
        self._kept: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()
        self._right_edge = self._read_right_edge()
        frontier = [
            self._node_in(self._right_edge[level // TILE_HEIGHT], NodeAt(level, number))
            for level, number in frontier_nodes(self._size)
        ]
        if fold_range(frontier) != checkpoint.root:
            message = f"the rightmost tiles do not hash to the root of the checkpoint of size {self._size}"
            raise BadTile(message)

    def read_nodes(self, nodes: Sequence[NodeAt]) -> list[bytes]:
        """Return the hashes of complete nodes, each checked against the root."""
        return [self._node(node) for node in nodes]

    def _node(self, node: NodeAt) -> bytes:
        level, shift = divmod(node.level, TILE_HEIGHT)
        if (node.number + 1) << node.level > self._size:
            message = f"the node {tuple(node)} is not complete in a tree of {self._size} leaves"
            raise BadTile(message)
        return self._node_in(self._checked_tile(level, (node.number << shift) // TILE_WIDTH), node)

    def _checked_tile(self, level: int, number: int) -> list[bytes]:
        width = width_at(level, number, self._size)
        if width < TILE_WIDTH:
            return self._right_edge[level]
        if (level, number) in self._kept:
            self._kept.move_to_end((level, number))
            return self._kept[level, number]
        tile = Tile(level, number, width)
        hashes = self._read_tile(tile)
        if root_of(hashes) != self._node(NodeAt((level + 1) * TILE_HEIGHT, number)):
            message = f"{tile.path} is not part of the tree: it was altered"
            raise BadTile(message)
        self._kept[level, number] = hashes
        if len(self._kept) > _KEPT_TILES:
            self._kept.popitem(last=False)
        return hashes

    def _read_right_edge(self) -> dict[int, list[bytes]]:
        """Read the partial tile of each level: together they are what the root is folded from."""
        edge = {}
        level = 0
        while hashes := self._size >> (TILE_HEIGHT * level):
            number, width = divmod(hashes, TILE_WIDTH)
            if width:
                edge[level] = self._read_tile(Tile(level, number, width))
            level += 1
        return edge

    def _read_tile(self, tile: Tile) -> list[bytes]:
        """Read a tile, from the full one if the log has since outgrown a partial one."""
        found = self._read_path(tile.path)
        if found is None and tile.width < TILE_WIDTH:
            found = self._read_path(tile._replace(width=TILE_WIDTH).path)
            found = found and found[: tile.width * HASH_BYTES]
        if found is None:
            message = f"{tile.path} is missing"
            raise BadTile(message)
        if len(found) != tile.width * HASH_BYTES:
            message = f"{tile.path} has {len(found)} bytes instead of {tile.width * HASH_BYTES}"
            raise BadTile(message)
        return split_hashes(found)

    @staticmethod
    def _node_in(hashes: Sequence[bytes], node: NodeAt) -> bytes:
        """Compute a node from the tile that it lies in."""
        shift = node.level % TILE_HEIGHT
        start = (node.number << shift) % TILE_WIDTH
        return root_of(hashes[start : start + (1 << shift)])
