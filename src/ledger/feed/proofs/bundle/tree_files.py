"""Compares a bundle's entries and tiles with what its leaves hash to."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ledger.feed.proofs.given_files import open_plain
from ledger.feed.proofs.merkle import HASH_BYTES
from ledger.feed.proofs.refused import BadProof, BundleBroken
from ledger.feed.proofs.tile_reader import read_from
from ledger.feed.proofs.tiles import (
    MAX_ENTRY_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Entries,
    Tile,
    split_entries,
    width_at,
)


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
