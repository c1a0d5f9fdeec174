"""What one line of an import says, and what can be wrong with it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO

from ledger.domain.command import read_instant

LONGEST_LINE_BYTES = 65_536
"""A command is at most 64 kB; so is the line that carries it."""


@dataclass(frozen=True, slots=True)
class LineFault:
    """A line that is not as it must be; nothing of the import is recorded while there is one."""

    file: str
    line: int
    message: str
    command_id: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One command of an import as it was written, its envelope checked, its fields not yet."""

    file: str
    line: int
    command_id: str
    command: str
    at: datetime
    """Instant in UTC."""
    actor: str | None
    fields: Mapping[str, object] = field(repr=False)


class Malformed(Exception):
    """What is wrong with the line at hand, in words."""


def raw_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line with its number, from 1; None for one that is too long to be a command.

    Never holds more than one line: a line of 10 MB is passed over in pieces.
    """
    number = 0
    while True:
        raw = stream.readline(LONGEST_LINE_BYTES + 2)
        if not raw:
            return
        number += 1
        if len(raw.rstrip(b"\r\n")) <= LONGEST_LINE_BYTES:
            yield number, raw
            continue
        while not raw.endswith(b"\n"):
            raw = stream.readline(LONGEST_LINE_BYTES)
            if not raw:
                break
        yield number, None


def decoded(raw: bytes | None, number: int) -> str:
    """Return a line's text without its line end.

    Raises:
        Malformed: too long, binary, or not UTF-8.

    """
    if raw is None:
        message = f"is longer than {LONGEST_LINE_BYTES} bytes, the most that one command may have"
        raise Malformed(message)
    if b"\0" in raw:
        message = "holds NUL bytes: this is no text"
        raise Malformed(message)
    try:
        # Spreadsheets put a byte order mark before the first line.
        return raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text (byte {error.start + 1})"
        raise Malformed(message) from None


ENVELOPE = ("command_id", "command", "at", "actor", "data")
REQUIRED = ("command_id", "command", "at", "data")
MOST_NAMED = 5
"""Unknown fields that are named; a wrong file may have thousands."""

LONGEST_NAME = 128
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def instant(text: object) -> datetime:
    """Read an instant with its offset, `2026-03-01T09:00:00+01:00`, into UTC.

    Raises:
        Malformed: it is no instant, lacks its offset, or lies outside 1900 to 2199.

    """
    if not isinstance(text, str):
        message = f"at: {shortened(text)} is no instant; write it as 2026-03-01T09:00:00+01:00"
        raise Malformed(message)
    try:
        return read_instant(text).astimezone(UTC)
    except ValueError as error:
        message = f"at: {shortened(text)} is no instant: it {error}"
        raise Malformed(message) from None


def checked_name(what: str, value: object) -> str:
    """Read a short printable name: a command id, an actor.

    Raises:
        Malformed: it is no text, is empty, too long or unprintable, or is reserved for time's own use.

    """
    if not isinstance(value, str):
        message = f"{what}: must be text, is {shortened(value)}"
        raise Malformed(message)
    if not value.strip() or len(value) > LONGEST_NAME:
        message = f"{what}: must have 1 to {LONGEST_NAME} characters"
        raise Malformed(message)
    if _UNPRINTABLE.search(value):
        message = f"{what}: holds control characters"
        raise Malformed(message)
    if value == "time" or value.startswith("time:"):
        message = f"{what}: {value!r} is reserved for what time itself records; choose another"
        raise Malformed(message)
    return value


def line_of(file: str, number: int, written: Mapping[str, object]) -> Line:
    """Check the envelope of one command and give the line.

    Raises:
        Malformed: naming every part of the envelope that is wrong.

    """
    wrong = [f"unknown field {shortened(key)}" for key in written if key not in ENVELOPE][:MOST_NAMED]
    wrong += [f"{key} is missing" for key in REQUIRED if key not in written]
    read: dict[str, Any] = {"actor": None}
    for key, reader in _READERS.items():
        if key in written and not (key == "actor" and written[key] is None):
            try:
                read[key] = reader(key, written[key])
            except Malformed as malformed:
                wrong.append(str(malformed))
    if wrong:
        raise Malformed("; ".join(wrong))
    return Line(file, number, read["command_id"], read["command"], read["at"], read["actor"], read["data"])


def _text(what: str, value: object) -> str:
    if not isinstance(value, str):
        message = f"{what}: must be text, is {shortened(value)}"
        raise Malformed(message)
    return value


def _fields(what: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        message = f"{what}: must be an object with the command's fields"  # Not quoted: it may name somebody.
        raise Malformed(message)
    return value


_READERS: Mapping[str, Callable[[str, object], object]] = {
    "command_id": checked_name,
    "command": _text,
    "at": lambda _what, value: instant(value),
    "actor": checked_name,
    "data": _fields,
}
"""How each part of the envelope is read."""


def shortened(value: object) -> str:
    """Quote a wrong value, at most so much of it that a person recognises it."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = repr(value) if not isinstance(value, int) or isinstance(value, bool) else f"{value}"
    text = text.encode("ascii", "backslashreplace").decode() if _UNPRINTABLE.search(text) else text
    return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004  # fits an error's one line
