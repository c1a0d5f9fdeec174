"""The tree read from tiles that nobody needs to trust: every tile is checked against the root before use."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

from ledger.feed.proofs.checkpoint import Checkpoint
from ledger.feed.proofs.given_files import open_plain
from ledger.feed.proofs.merkle import HASH_BYTES, NodeAt, fold_range, frontier_nodes, root_of
from ledger.feed.proofs.refused import BadProof, BadTile
from ledger.feed.proofs.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    split_hashes,
    width_at,
)

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
        """Give the hashes of complete nodes, each checked against the root."""
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
