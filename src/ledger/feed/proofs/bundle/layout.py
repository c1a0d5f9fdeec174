"""Which file of a bundle holds what."""

import re
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path
from typing import IO

from ledger.feed.proofs.given_files import open_plain
from ledger.feed.proofs.note import MAX_NOTE_BYTES
from ledger.feed.proofs.refused import BadNote
from ledger.feed.proofs.tiles import Entries, number_path

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
    """Say where the payloads of a bundle of entries lie: `payload/<N>[.p/<W>]`."""
    return f"{PAYLOADS}/{number_path(*entries)}"


def read_history(opened: IO[bytes]) -> Iterator[str]:
    """Give the signed checkpoints of a history file, which parts them by empty lines. Raises BadNote."""
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
    """Give the SHA-256 of each file that the log itself does not cover, by its path, in order."""
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
