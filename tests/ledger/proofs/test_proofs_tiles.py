"""Tiles: paths, contents, growth, and reading them back without trusting them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proof_samples import TreeInMemory

from ledger.proofs.checkpoints import Checkpoint, open_checkpoint
from ledger.proofs.errors import BadTile
from ledger.proofs.merkle import (
    Frontier,
    NodeAt,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    leaf_hashes,
    root_from_nodes,
    root_of,
    verify_inclusion,
)
from ledger.proofs.notes import VerifierKey
from ledger.proofs.tiles import (
    Entries,
    Tile,
    TileReader,
    entries_of,
    join_entries,
    number_path,
    parse_entries_path,
    parse_number_path,
    parse_tile_path,
    read_entries,
    read_from,
    split_hashes,
    tiles_touched,
)

TREE = TreeInMemory(70_000)
ReadPath = Callable[[str], bytes | None]


def tiles_in_memory(size: int) -> dict[str, bytes]:
    return {tile.path: b"".join(TREE.read_nodes(tile.nodes)) for tile in tiles_touched(0, size)}


def head(size: int) -> Checkpoint:
    return Checkpoint("ledger.example", size, root_from_nodes(size, TREE.read_nodes))


@pytest.mark.parametrize("size", range(1, 16))
def test_the_tiles_of_the_small_log_come_out_byte_for_byte_from_its_entries(
    size: int, small_log: Path, small_log_key: VerifierKey
) -> None:
    read = read_from(small_log)
    bundle = read(Entries(0, size).path)
    assert bundle is not None
    entries = read_entries(bundle, size)
    assert join_entries(entries) == bundle

    frontier = Frontier()
    nodes = {NodeAt(*node[:2]): node.hash for node in frontier.completed_by(leaf_hashes(entries))}
    for tile in tiles_touched(size - 1, size):
        assert b"".join(nodes[place] for place in tile.nodes) == read(tile.path)
    signed = (small_log / f"checkpoint.{size}").read_text(encoding="utf-8")
    assert frontier.root() == open_checkpoint(signed, [small_log_key]).root


def test_the_small_log_serves_proofs_from_its_tiles(small_log: Path, small_log_key: VerifierKey) -> None:
    signed = (small_log / "checkpoint").read_text(encoding="utf-8")
    newest = open_checkpoint(signed, [small_log_key])
    reader = TileReader(read_from(small_log), newest)
    for index in range(newest.size):
        (leaf,) = reader.read_nodes([NodeAt(0, index)])
        verify_inclusion(
            index, newest.size, leaf, inclusion_proof(index, newest.size, reader.read_nodes), newest.root
        )
    for size in range(1, 16):
        older = (small_log / f"checkpoint.{size}").read_text(encoding="utf-8")
        assert root_from_nodes(size, reader.read_nodes) == open_checkpoint(older, [small_log_key]).root


def test_the_tiles_of_70_000_leaves_are_those_of_the_specification() -> None:
    tiles = list(tiles_touched(0, 70_000))
    assert [tile for tile in tiles if tile.width < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert len([tile for tile in tiles if tile.level == 0]) == 274
    assert list(tiles_touched(0, 256)) == [(0, 0, 256), (1, 0, 1)]


def test_numbers_are_written_in_groups_of_three() -> None:
    assert number_path(1234067) == "x001/x234/067"
    assert Tile(1, 5, 17).path == "tile/1/005.p/17"
    assert Entries(999_999, 256).path == "tile/entries/x999/999"


@given(st.integers(0, 7), st.integers(0, 2**40), st.integers(1, 256))
def test_a_path_reads_back(level: int, number: int, width: int) -> None:
    tile, entries = Tile(level, number, width), Entries(number, width)
    assert parse_tile_path(tile.path) == tile
    assert parse_entries_path(entries.path) == entries


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/1",
        "tile/8/001",
        "tile/00/001",
        "tile/0/x000/001",
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/001/002",
        "tile/entries/x000/001",
        "tile/entries/0001",
        "../tile/0/000",
        "tile/0/\u0660\u0660\u0660",
    ],
)
def test_no_other_spelling_is_a_path(path: str) -> None:
    assert parse_tile_path(path) is None
    assert parse_entries_path(path) is None
    assert parse_number_path(path.split("/", 2)[2]) is None or not path.startswith(
        ("tile/0/", "tile/entries/")
    )


@given(st.integers(0, 70_000), st.integers(0, 70_000))
def test_growth_touches_exactly_the_tiles_that_differ(one: int, other: int) -> None:
    old, new = sorted((one, other))
    before, after = set(tiles_touched(0, old)), set(tiles_touched(0, new))
    assert set(tiles_touched(old, new)) == after - before


def test_entries_begin_at_the_bundle_that_holds_the_first() -> None:
    assert list(entries_of(600, first=256)) == [(1, 256), (2, 88)]
    assert list(entries_of(0)) == []


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20))
def test_entries_read_back_and_any_cut_is_refused(entries: list[bytes]) -> None:
    bundle = join_entries(entries)
    assert read_entries(bundle, len(entries)) == entries
    with pytest.raises(BadTile, match="ends before"):
        read_entries(bundle[:-1], len(entries))
    with pytest.raises(BadTile, match="goes on"):
        read_entries(bundle + b"\0", len(entries))


def test_an_entry_too_long_for_its_length_is_not_written() -> None:
    assert len(join_entries([b"x" * 65_535])) == 65_537
    with pytest.raises(ValueError, match="65536"):
        join_entries([b"x" * 65_536])


def test_a_tile_is_a_row_of_hashes() -> None:
    assert split_hashes(b"a" * 32 + b"b" * 32) == [b"a" * 32, b"b" * 32]
    with pytest.raises(BadTile, match="multiple"):
        split_hashes(b"a" * 33)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 512, 65_535, 65_536, 65_537, 70_000])
def test_proofs_from_tiles_are_those_from_stored_nodes(size: int) -> None:
    reader = TileReader(tiles_in_memory(size).get, head(size))
    for index in {0, size // 2, size - 1}:
        assert inclusion_proof(index, size, reader.read_nodes) == inclusion_proof(
            index, size, TREE.read_nodes
        )
        assert consistency_proof(index + 1, size, reader.read_nodes) == consistency_proof(
            index + 1, size, TREE.read_nodes
        )


def test_a_log_that_has_grown_serves_its_older_heads_from_full_tiles() -> None:
    reader = TileReader(tiles_in_memory(70_000).get, head(65_000))
    assert reader.read_nodes([NodeAt(0, 64_999)]) == [TREE.leaves[64_999]]


def test_a_node_that_is_not_complete_is_not_served() -> None:
    reader = TileReader(tiles_in_memory(300).get, head(300))
    with pytest.raises(BadTile, match="not complete"):
        reader.read_nodes([NodeAt(1, 150)])


@pytest.mark.slow
@given(st.sampled_from([300, 600, 65_600, 70_000]), st.data())
@settings(max_examples=60)
def test_an_altered_tile_is_never_served(size: int, draw: st.DataObject) -> None:
    tiles = tiles_in_memory(size)
    path = draw.draw(st.sampled_from(sorted(tiles)))
    altered = bytearray(tiles[path])
    altered[draw.draw(st.integers(0, len(altered) - 1))] ^= draw.draw(st.integers(1, 255))
    tile = parse_tile_path(path)
    assert tile is not None
    with pytest.raises(BadTile):
        TileReader((tiles | {path: bytes(altered)}).get, head(size)).read_nodes([tile.nodes[0]])


def test_a_missing_or_short_tile_is_named() -> None:
    tiles = tiles_in_memory(600)
    short = tiles | {"tile/0/000": tiles["tile/0/000"][:-32]}
    with pytest.raises(BadTile, match="tile/0/000 has 8160 bytes instead of 8192"):
        TileReader(short.get, head(600)).read_nodes([NodeAt(0, 0)])
    del tiles["tile/0/001"]
    with pytest.raises(BadTile, match="tile/0/001 is missing"):
        TileReader(tiles.get, head(600)).read_nodes([NodeAt(0, 300)])
    with pytest.raises(BadTile, match=r"tile/0/002.p/88 is missing"):
        TileReader({}.get, head(600))


def test_a_folder_of_tiles_has_no_tile_where_a_file_stands_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "tile").write_bytes(b"")
    assert read_from(tmp_path)("tile/0/000") is None


def test_tiles_kept_in_memory_are_few() -> None:
    reader = TileReader(tiles_in_memory(70_000).get, head(70_000))
    served = reader.read_nodes([NodeAt(0, number * 256) for number in range(273)])
    assert served == [TREE.leaves[number * 256] for number in range(273)]
    assert reader.read_nodes([NodeAt(8, 3)]) == [root_of(TREE.leaves[768:1024])]
    assert leaf_hash(b"0") == reader.read_nodes([NodeAt(0, 0)])[0]
