"""The part of a line that is the same for every command: id, name, instant, actor."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ledger.domain.command import read_instant
from ledger.importing.lines import Line, Malformed

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
