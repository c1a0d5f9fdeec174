"""Subjects and streams of NATS that a book's events go to. Pure."""

import re
from typing import Final

_NOT_IN_A_TOKEN: Final = re.compile(rb"[^A-Za-z0-9_-]")


def subject_of(book: str, kind: str, number: str) -> str:
    """Name an event's subject: `claims.cyber-care.claim.K-1`; what a token may not hold stands as %XX."""
    return f"claims.{_token(book)}.{kind}.{_token(number)}"


def subjects_of(book: str) -> str:
    """Name all subjects of a book, as a stream takes them."""
    return f"claims.{_token(book)}.>"


def stream_of(book: str) -> str:
    """Name the stream that a book's relay writes unless told otherwise: `claims-cyber-care`."""
    return f"claims-{_token(book)}"


def is_stream_name(name: str) -> bool:
    """Say whether NATS takes it as a stream's name."""
    return bool(re.fullmatch(r"[^\s.*>/\\]{1,255}", name))


def _token(text: str) -> str:
    return _NOT_IN_A_TOKEN.sub(lambda found: b"%%%02X" % found[0][0], text.encode()).decode()
