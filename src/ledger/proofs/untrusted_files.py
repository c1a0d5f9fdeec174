"""Reads files that nobody vouches for: bounded, plain files only, strict UTF-8, each JSON key once."""

import json
import os
import stat
from collections.abc import Iterable
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, NoReturn

from ledger.proofs.errors import BadProof
from ledger.proofs.notes import MAX_NOTE_BYTES

MAX_PROOF_BYTES = 64 << 20
"""A contract's proof: its events with their payloads."""


def open_plain(path: Path) -> BufferedReader:
    """Open a file in a bundle, without following a link or waiting for a pipe. Raises OSError, BadProof."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        message = "it is no plain file"
        raise BadProof(message)
    return os.fdopen(descriptor, "rb")


def read_plain(path: Path, limit: int) -> bytes:
    """Read a file inside a bundle. Raises OSError, BadProof."""
    with open_plain(path) as opened:
        return _read(opened, limit)


def read_head(path: Path) -> str:
    """Read a signed head that somebody gives, from a file or a pipe. Raises OSError, BadProof."""
    return _read_text(path, MAX_NOTE_BYTES)


def read_proof(path: Path) -> str:
    """Read a proof that somebody gives, from a file or a pipe. Raises OSError, BadProof."""
    return _read_text(path, MAX_PROOF_BYTES)


def text_of(raw: bytes) -> str:
    """Return the text of these bytes as they stand, line ends included. Raises BadProof."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        message = "it is not text (UTF-8): it was cut or altered"
        raise BadProof(message) from error


def strict_json(text: str) -> Any:  # noqa: ANN401  # whatever stands there
    """Read JSON in which each key stands once and nothing is infinite. Raises ValueError, RecursionError."""
    return json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_such_number)


def _each_once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for key, value in pairs:
        if key in read:
            message = f"the key {key!r} stands twice"
            raise ValueError(message)
        read[key] = value
    return read


def _no_such_number(name: str) -> NoReturn:
    message = f"{name} is no number of JSON"
    raise ValueError(message)


def _read_text(path: Path, limit: int) -> str:
    with path.open("rb") as opened:
        return text_of(_read(opened, limit))


def _read(opened: IO[bytes], limit: int) -> bytes:
    raw = opened.read(limit + 1)
    if len(raw) > limit:
        message = f"it is larger than {limit:,} bytes, which it cannot be"
        raise BadProof(message)
    return raw
