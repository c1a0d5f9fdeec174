"""Checkpoints (C2SP tlog-checkpoint): the signed head of a log in three lines: origin, size, base64 root.

No extension lines, neither written nor accepted. The key that signs for a log carries the log's origin as
its name, so that a head of one book never passes for a head of another.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.feed.proofs.base64_text import from_base64, to_base64
from ledger.feed.proofs.decimal_text import MAX_NUMBER, from_decimal
from ledger.feed.proofs.merkle import EMPTY_ROOT, HASH_BYTES
from ledger.feed.proofs.note import NoteSigner, VerifierKey, is_key_name, open_note, sign_note, split_note
from ledger.feed.proofs.refused import BadNote

_LINES = 3
_EPOCH = re.compile(r"/epoch-[0-9]+\Z")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: its origin, the number of its leaves, and their root.

    Raises BadNote if origin, size or root cannot stand in a checkpoint.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        """Refuse what no log can sign."""
        if not is_key_name(self.origin):
            message = f"a log's origin has neither spaces nor plus signs: {self.origin!r}"
            raise BadNote(message)
        if not 0 <= self.size <= MAX_NUMBER or len(self.root) != HASH_BYTES:
            message = f"a checkpoint needs a size and a root of {HASH_BYTES} bytes"
            raise BadNote(message)
        if self.size == 0 and self.root != EMPTY_ROOT:
            message = "a checkpoint of no leaves must have the empty tree's root"
            raise BadNote(message)

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read a checkpoint's text (the note without its signatures). Raises BadNote."""
        lines = text.split("\n")
        if len(lines) != _LINES + 1 or lines[-1]:
            message = "a checkpoint has three lines: origin, size, root (extension lines are not accepted)"
            raise BadNote(message)
        size, root = from_decimal(lines[1]), from_base64(lines[2])
        if size is None or root is None:
            message = f"not a checkpoint's size and root: {lines[1][:40]!r}, {lines[2][:60]!r}"
            raise BadNote(message)
        return cls(lines[0], size, root)

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[NoteSigner]) -> str:
    """Write a signed checkpoint. The caller has shown that it extends every head signed before."""
    return sign_note(checkpoint.text, signers)


def open_checkpoint(note: str, keys: Iterable[VerifierKey]) -> Checkpoint:
    """Read a checkpoint that a trusted key named after its origin has signed. Raises BadNote."""
    return open_signed(note, keys)[0]


def open_signed(note: str, keys: Iterable[VerifierKey]) -> tuple[Checkpoint, tuple[VerifierKey, ...]]:
    """Read a checkpoint and which trusted keys, named after its origin, have signed it. Raises BadNote."""
    opened = open_note(note, keys)
    checkpoint = Checkpoint.parse(opened.text)
    signed_by = tuple(key for key in opened.signed_by if key.name == checkpoint.origin)
    if not signed_by:
        message = f"the head is of the log {checkpoint.origin!r}, but the trusted key signs for another"
        raise BadNote(message)
    return checkpoint, signed_by


def base_origin(origin: str) -> str:
    """Return the name of a log in its first epoch: a later one adds `/epoch-2` and so on."""
    return _EPOCH.sub("", origin)


def not_covered(kept: Sequence[Checkpoint], head: Checkpoint) -> str:
    """Say of heads of earlier epochs that the log is not shown to extend them."""
    named = ", ".join(f"{past.size} events of {past.origin}" for past in kept)
    return (
        f"not covered by this log: {named}; the log was put back and goes on as {head.origin} with "
        f"{head.size} events, and what that head covers is not all in it: hold it against a copy of that time"
    )


def peek_checkpoint(note: str) -> Checkpoint:
    """Read a checkpoint, no signature verified: to be shown, never to be relied on. Raises BadNote."""
    text, _ = split_note(note)
    return Checkpoint.parse(text)
