"""A whole log as a folder: which file holds what, the page that explains it, and how it is written.

Writing streams: memory does not grow with the log.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import file_digest
from itertools import islice
from pathlib import Path
from typing import IO

from ledger.proofs.checkpoints import Checkpoint, open_checkpoint
from ledger.proofs.errors import BadNote, BundleBroken
from ledger.proofs.merkle import Frontier, leaf_hashes
from ledger.proofs.notes import MAX_NOTE_BYTES, VerifierKey
from ledger.proofs.tiles import TILE_HEIGHT, TILE_WIDTH, Entries, Tile, join_entries, number_path
from ledger.proofs.untrusted_files import open_plain

HEAD = "checkpoint"
HISTORY = "checkpoints"
KEYS = "verifier.keys"
README = "README.md"
SCHEMAS = "schemas"
SUMS = "SHA256SUMS"
TILES = "tile"
PAYLOADS = "payload"

PAYLOAD_LENGTH_BYTES = 4
MAX_PAYLOAD_BYTES = 1 << 20
MAX_SUMS_BYTES = 1 << 20
SCHEMA_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.json")


def payload_path(entries: Entries) -> str:
    """Return where the payloads of a bundle of entries lie: `payload/<N>[.p/<W>]`."""
    return f"{PAYLOADS}/{number_path(*entries)}"


def read_history(opened: IO[bytes]) -> Iterator[str]:
    """Yield the signed checkpoints of a history file, which parts them by empty lines. Raises BadNote."""
    while text := _read_lines(opened):
        yield f"{text}\n{_read_lines(opened)}"
    if opened.read(1):
        message = "the file goes on after its last head"
        raise BadNote(message)


def _read_lines(opened: IO[bytes]) -> str:
    """Read up to an empty line or the file's end."""
    lines: list[bytes] = []
    size = 0
    while (line := opened.readline(MAX_NOTE_BYTES)) not in {b"", b"\n"}:
        lines.append(line)
        size += len(line)
        if size >= MAX_NOTE_BYTES:
            message = f"a signed checkpoint is smaller than {MAX_NOTE_BYTES:,} bytes"
            raise BadNote(message)
    try:
        return b"".join(lines).decode()
    except UnicodeDecodeError as error:
        message = "a signed checkpoint is UTF-8 text"
        raise BadNote(message) from error


def sums_of(directory: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that the log itself does not cover, by its path, in order."""
    loose = [directory / name for name in (README, HISTORY, KEYS)]
    sums = {}
    for path in sorted([*loose, *(directory / SCHEMAS).glob("*")]):
        if path.is_file():
            with open_plain(path) as opened:
                sums[path.relative_to(directory).as_posix()] = file_digest(opened, "sha256").hexdigest()
    return sums


def write_sums(sums: dict[str, str]) -> str:
    """Write sums as `sha256sum` does, so that `sha256sum --check SHA256SUMS` reads them."""
    return "".join(f"{digest}  {path}\n" for path, digest in sums.items())


_PAGE = """# The ledger {origin}, {size} events

A complete, signed copy of one book's history. It is checked offline, with a verifier key that you were
given **elsewhere than in this folder**.

    coverledger verify . --key '<verifier key>'
    coverledger verify . --key '<verifier key>' --since <a checkpoint that you kept> --contract <number>

A head that was signed before a key was changed needs the older key too: give `--key` more than once.
`verifier.keys` lists the keys as this ledger names them; compare them with what you were given:

{keys}

## What is in it

| path | what it holds |
|---|---|
| `checkpoint` | the signed head (C2SP tlog-checkpoint): origin, number of events, root of the Merkle tree |
| `checkpoints` | every head signed before it, by rising size, parted by empty lines |
| `tile/<L>/<N>` | the Merkle tree (C2SP tlog-tiles, RFC 6962 hashes, SHA-256) |
| `tile/entries/<N>` | the leaves, 256 a file, each behind its length as a big-endian 16-bit number |
| `payload/<N>` | the payloads in the same order, each behind its length as a big-endian **32-bit** number |
| `schemas/` | JSON Schemas of the payloads, one a type and version |
| `verifier.keys` | the public keys of the log, the current one first |
| `SHA256SUMS` | sums of the files that the log does not cover; they guard against damage, not against us |

`<N>` is written in groups of three digits, all but the last behind an `x` (`x001/x234/067`). The last file of
a row may hold fewer than 256: its name then ends in `.p/` and the number (`000.p/15`).

Position P (from 0) is record P mod 256 of file P div 256. Its leaf is canonical JSON (RFC 8785): who, when,
which stream and version, and two hashes: `payload_sha256`, the SHA-256 of the payload's bytes, and `prev`,
the leaf hash of the event before it in its stream. A leaf hash is SHA-256 of the byte 00 and the leaf.

Any client of C2SP tlog-tiles can check `checkpoint`, `tile/` and its entries without our program. What is
ours alone are the payloads and the chains inside the streams, as described above.

## What is proven, and what is not

Proven, as of this head: that these are all events of this log, in this order, and that none that an older
head covers was altered, removed or put in since that head was signed; that every stream is without gaps;
that each payload is the one that was recorded. A contract's stream names each claim that was opened on it
or moved to it (`contract.ClaimRegistered`), so its evidence is complete.

Not proven: that what was entered is true; what was recorded but not yet sealed when this was exported;
that nobody was ever shown another history, unless heads were kept outside and compared (`--since`).

Personal data stands in the payloads as ciphertext only. Where a person was erased, their key is
destroyed: the ciphertext stays, so the proofs hold, and nobody can read it.
"""


def auditor_readme(head: Checkpoint, keys: Sequence[VerifierKey]) -> str:
    """Write the page for a bundle with this head and these keys."""
    lines = "\n".join(f"    {key}" for key in keys)
    return _PAGE.format(origin=head.origin, size=head.size, keys=lines)


OnProgress = Callable[[int, int], None]
"""Told, now and then, how many events are done and how many there are."""


def write_bundle(  # noqa: PLR0913 — each is a part of the bundle
    directory: Path,
    *,
    checkpoints: Iterable[str],
    events: Iterable[tuple[bytes, bytes]],
    schemas: Mapping[str, bytes],
    keys: Sequence[VerifierKey],
    readme: str | None = None,
    progress: OnProgress | None = None,
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
    directory: Path, head: Checkpoint, events: Iterable[tuple[bytes, bytes]], progress: OnProgress
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
