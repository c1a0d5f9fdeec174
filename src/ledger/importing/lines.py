"""What one line of an import says, and what can be wrong with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

LONGEST_LINE_BYTES = 65_536
"""A command is at most 64 kB; so is the line that carries it."""


@dataclass(frozen=True, slots=True)
class Fault:
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
    """Give each line with its number, from 1; None for one that is too long to be a command.

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
    """Give a line's text without its line end.

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
