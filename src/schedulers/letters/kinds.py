"""What kinds of letters there are, how far a letter has come, and the reference that each has for ever."""

from base64 import b32encode
from hashlib import sha256
from typing import Literal, get_args

from ledger.domain.identifiers import StreamRef

LetterStatus = Literal[
    "wanted",
    "written",
    "prepared",
    "staged",
    "handed_over",
    "posted",
    "returned",
    "dropped",
    "erased",
]
STATUSES: tuple[LetterStatus, ...] = get_args(LetterStatus)
"""In the order that a letter goes through them; the last two instead."""


LetterKind = Literal[
    "termination_notice",
    "claim_acceptance",
    "claim_rejection",
    "complaint_acknowledgement",
    "complaint_answer",
]
KINDS: tuple[LetterKind, ...] = get_args(LetterKind)

REGISTERED: frozenset[LetterKind] = frozenset({"termination_notice"})
"""Letters that go by registered mail (R6)."""

_BYTES = 10


def reference_of(book: str, kind: LetterKind, about: StreamRef, number: int) -> str:
    """Return a letter's reference: `L-` and 16 letters and digits, the same whenever it is asked.

    `number` tells the letters of one kind about one stream apart: the row of the deadline that it meets, or
    the version of the event that it answers with. Nothing in it says who or what it is about.
    """
    named = "\0".join((book, kind, about.name, str(number)))
    return f"L-{b32encode(sha256(named.encode()).digest()[:_BYTES]).decode()}"
