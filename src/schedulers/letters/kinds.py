"""What kinds of letters there are, and the reference that each letter has for ever."""

from base64 import b32encode
from hashlib import sha256
from typing import Literal, get_args

from ledger.domain.identifiers import StreamRef

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
    """Give a letter's reference: `L-` and 16 letters and digits, the same whenever and wherever it is asked.

    `number` tells the letters of one kind about one stream apart: the row of the deadline that it meets, or
    the version of the event that it answers with. Nothing in it says who or what it is about.
    """
    named = "\0".join((book, kind, about.name, str(number)))
    return f"L-{b32encode(sha256(named.encode()).digest()[:_BYTES]).decode()}"
