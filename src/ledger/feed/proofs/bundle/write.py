"""Writes a bundle, streaming: memory does not grow with the log."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

from ledger.feed.proofs.bundle.layout import (
    HEAD,
    HISTORY,
    KEYS,
    MAX_PAYLOAD_BYTES,
    PAYLOAD_LENGTH_BYTES,
    README,
    SCHEMA_NAME,
    SCHEMAS,
    SUMS,
    payload_path,
    sums_of,
    write_sums,
)
from ledger.feed.proofs.bundle.readme import auditor_readme
from ledger.feed.proofs.checkpoint import Checkpoint, open_checkpoint
from ledger.feed.proofs.merkle import Frontier, leaf_hashes
from ledger.feed.proofs.note import VerifierKey
from ledger.feed.proofs.refused import BundleBroken
from ledger.feed.proofs.tiles import TILE_HEIGHT, TILE_WIDTH, Entries, Tile, join_entries

Progress = Callable[[int, int], None]
"""Told, now and then, how many events are done and how many there are."""


def write_bundle(  # noqa: PLR0913 — each is a part of the bundle
    directory: Path,
    *,
    checkpoints: Iterable[str],
    events: Iterable[tuple[bytes, bytes]],
    schemas: Mapping[str, bytes],
    keys: Sequence[VerifierKey],
    readme: str | None = None,
    progress: Progress | None = None,
) -> Checkpoint:
    """Write a bundle into a new or empty folder; gives its head.

    `checkpoints`: signed heads by rising size; the last is the bundle's. `events`: leaf and payload of each
    position below its size, from 0 on. `schemas`: JSON Schema by file name (`claim.ClaimOpened.v1.json`).
    `keys`: verifier keys that signed any of the heads. `readme`: by default the one for auditors.

    Raises FileExistsError if the folder holds something, BadNote for a head that no key of `keys` has
    signed, and BundleBroken if the events are not those of the head: what cannot verify is not exported.
    The head is written last, so a broken-off export never passes for a whole one.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        message = f"{directory} is not empty: name a new folder for the bundle"
        raise FileExistsError(message)
    signed = _write_history(directory / HISTORY, checkpoints)
    head = open_checkpoint(signed, keys)
    (directory / KEYS).write_text("".join(f"{key}\n" for key in keys), encoding="utf-8")
    _write_schemas(directory / SCHEMAS, schemas)
    text = readme if readme is not None else auditor_readme(head, keys)
    (directory / README).write_text(text, encoding="utf-8")
    _write_events(directory, head, events, progress or (lambda _done, _total: None))
    (directory / SUMS).write_text(write_sums(sums_of(directory)), encoding="utf-8")
    (directory / HEAD).write_text(signed, encoding="utf-8")
    return head


def _write_history(path: Path, checkpoints: Iterable[str]) -> str:
    """Write all signed heads, parted by empty lines; gives the last."""
    signed = ""
    with path.open("w", encoding="utf-8", newline="") as opened:
        for checkpoint in checkpoints:
            opened.write(f"\n{checkpoint}" if signed else checkpoint)
            signed = checkpoint
    if not signed:
        message = "a bundle needs a signed head: seal and sign first"
        raise BundleBroken(None, HISTORY, message)
    return signed


def _write_schemas(directory: Path, schemas: Mapping[str, bytes]) -> None:
    directory.mkdir()
    for name, schema in schemas.items():
        if not SCHEMA_NAME.fullmatch(name):
            message = f"not a schema's file name: {name!r}"
            raise ValueError(message)
        (directory / name).write_bytes(schema)


def _write_events(
    directory: Path, head: Checkpoint, events: Iterable[tuple[bytes, bytes]], progress: Progress
) -> None:
    """Write entries, payloads and tiles, and check that they make the head's root."""
    tiles = _TileWriter(directory)
    frontier = Frontier()
    source = iter(events)
    while portion := list(islice(source, TILE_WIDTH)):
        entries = Entries(frontier.size // TILE_WIDTH, len(portion))
        leaves = [leaf for leaf, _ in portion]
        _write(directory / entries.path, join_entries(leaves))
        _write(directory / payload_path(entries), _join_payloads([payload for _, payload in portion]))
        for level, _, row in frontier.grow(leaf_hashes(leaves)):
            if level % TILE_HEIGHT == 0:
                tiles.add(level // TILE_HEIGHT, row)
        progress(frontier.size, head.size)
        if frontier.size > head.size:
            break
    tiles.finish()
    if (frontier.size, frontier.root()) != (head.size, head.root):
        message = (
            f"the {frontier.size} events given are not those of the head of size {head.size}: "
            "run `coverledger verify` on the database"
        )
        raise BundleBroken(None, HEAD, message)


class _TileWriter:
    """Writes each tile when it is full, and the partial ones at the end."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._waiting: list[list[bytes]] = []
        self._written: list[int] = []

    def add(self, level: int, hashes: Sequence[bytes]) -> None:
        if level == len(self._waiting):
            self._waiting.append([])
            self._written.append(0)
        waiting = self._waiting[level]
        waiting += hashes
        while len(waiting) >= TILE_WIDTH:
            self._write_tile(level, waiting[:TILE_WIDTH])
            del waiting[:TILE_WIDTH]

    def finish(self) -> None:
        for level, hashes in enumerate(self._waiting):
            if hashes:
                self._write_tile(level, hashes)

    def _write_tile(self, level: int, hashes: Sequence[bytes]) -> None:
        tile = Tile(level, self._written[level], len(hashes))
        self._written[level] += 1
        _write(self._directory / tile.path, b"".join(hashes))


def _join_payloads(payloads: Sequence[bytes]) -> bytes:
    parts: list[bytes] = []
    for payload in payloads:
        if len(payload) > MAX_PAYLOAD_BYTES:
            message = f"a payload of {len(payload)} bytes does not fit a bundle (at most {MAX_PAYLOAD_BYTES})"
            raise ValueError(message)
        parts += (len(payload).to_bytes(PAYLOAD_LENGTH_BYTES, "big"), payload)
    return b"".join(parts)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
