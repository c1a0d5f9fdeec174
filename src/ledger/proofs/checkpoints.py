"""Checkpoints (C2SP tlog-checkpoint), and the proofs that are written under one.

A checkpoint is the signed head of a log in three lines: origin, size, base64 root. No extension lines,
neither written nor accepted. The key that signs for a log carries the log's origin as its name, so that a
head of one book never passes for a head of another. Numbers are ASCII digits, without sign or leading zero,
below 2⁶³.

Proofs as files: inclusion as C2SP tlog-proof, consistency as the body of tlog-witness's add-checkpoint.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.proofs.errors import BadNote, BadProof
from ledger.proofs.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency, verify_inclusion
from ledger.proofs.notes import (
    NoteSigner,
    VerifierKey,
    from_base64,
    is_key_name,
    open_note,
    sign_note,
    split_note,
    to_base64,
)

MAX_NUMBER = 2**63 - 1
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


def from_decimal(text: str) -> int | None:
    """Read a number; None if it is not spelt canonically or too large."""
    if not _DECIMAL.fullmatch(text):
        return None
    number = int(text)
    return number if number <= MAX_NUMBER else None


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
    """Return the message that the log is not shown to extend heads of earlier epochs."""
    named = ", ".join(f"{past.size} events of {past.origin}" for past in kept)
    return (
        f"not covered by this log: {named}; the log was put back and goes on as {head.origin} with "
        f"{head.size} events, and what that head covers is not all in it: hold it against a copy of that time"
    )


def peek_checkpoint(note: str) -> Checkpoint:
    """Read a checkpoint, no signature verified: to be shown, never to be relied on. Raises BadNote."""
    text, _ = split_note(note)
    return Checkpoint.parse(text)


INCLUSION_FIRST_LINE = "c2sp.org/tlog-proof@v1"
MAX_PROOF_LINES = 63
"""tlog-witness: a proof has at most 63 lines."""


@dataclass(frozen=True, slots=True)
class InclusionFile:
    """A proof that one leaf stands in a signed log: `.tlog-proof`.

    `checkpoint` is the signed note, verbatim; `extra` is not authenticated.
    """

    index: int
    proof: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def __str__(self) -> str:
        """Write the file."""
        extra = "" if self.extra is None else f"extra {to_base64(self.extra)}\n"
        lines = _proof_lines(self.proof)
        return f"{INCLUSION_FIRST_LINE}\n{extra}index {self.index}\n{lines}\n{self.checkpoint}"

    @classmethod
    def parse(cls, text: str) -> "InclusionFile":
        """Read the file; nothing is verified yet. Raises BadProof."""
        head, checkpoint = _part(text)
        if head[:1] != [INCLUSION_FIRST_LINE]:
            message = f"not a proof of inclusion: its first line must be {INCLUSION_FIRST_LINE}"
            raise BadProof(message)
        extra = None
        rest = head[1:]
        if rest and rest[0].startswith("extra "):
            extra = from_base64(rest[0].removeprefix("extra "))
            rest = rest[1:]
            if extra is None:
                message = "the proof's extra line is not base64"
                raise BadProof(message)
        index = _read_number(rest[:1], "index")
        return cls(index, _read_proof(rest[1:]), checkpoint, extra)

    def verify(self, leaf_hash: bytes, keys: Iterable[VerifierKey]) -> Checkpoint:
        """Check that the leaf stands in the log; gives the head. Raises BadProof or BadNote."""
        checkpoint = open_checkpoint(self.checkpoint, keys)
        verify_inclusion(self.index, checkpoint.size, leaf_hash, self.proof, checkpoint.root)
        return checkpoint


@dataclass(frozen=True, slots=True)
class ConsistencyFile:
    """A proof that a signed log extends its head of `old_size` leaves; witnesses take it as it stands."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: str

    def __str__(self) -> str:
        """Write the file."""
        return f"old {self.old_size}\n{_proof_lines(self.proof)}\n{self.checkpoint}"

    @classmethod
    def parse(cls, text: str) -> "ConsistencyFile":
        """Read the file; nothing is verified yet. Raises BadProof."""
        head, checkpoint = _part(text)
        return cls(_read_number(head[:1], "old"), _read_proof(head[1:]), checkpoint)

    def verify(self, old: Checkpoint | None, keys: Iterable[VerifierKey]) -> Checkpoint:
        """Check that the head extends the old one (None: nothing seen yet). Raises BadProof or BadNote."""
        checkpoint = open_checkpoint(self.checkpoint, keys)
        if old is not None and old.origin != checkpoint.origin:
            message = f"the proof is of the log {checkpoint.origin}, not of {old.origin}"
            raise BadProof(message)
        old_size = 0 if old is None else old.size
        if self.old_size != old_size:
            message = f"the proof starts from size {self.old_size}, the head kept has size {old_size}"
            raise BadProof(message)
        if old is not None and old_size > 0:
            verify_consistency(old_size, checkpoint.size, old.root, checkpoint.root, self.proof)
        elif self.proof:
            message = "a proof from the empty log has no lines"
            raise BadProof(message)
        return checkpoint


def _proof_lines(proof: Sequence[bytes]) -> str:
    return "".join(f"{to_base64(node)}\n" for node in proof)


def _part(text: str) -> tuple[list[str], str]:
    """Part a file at its first empty line: the proof's lines, and the checkpoint verbatim."""
    head, _, checkpoint = text.partition("\n\n")
    return head.split("\n"), checkpoint


def _read_number(lines: Sequence[str], label: str) -> int:
    found = [from_decimal(line.removeprefix(f"{label} ")) for line in lines if line.startswith(f"{label} ")]
    if not found or found[0] is None:
        message = f"the proof needs a line '{label} <number>'"
        raise BadProof(message)
    return found[0]


def _read_proof(lines: Sequence[str]) -> tuple[bytes, ...]:
    proof = [from_base64(line) for line in lines]
    if len(proof) > MAX_PROOF_LINES or any(node is None or len(node) != HASH_BYTES for node in proof):
        message = f"a proof has at most {MAX_PROOF_LINES} lines, each the base64 of {HASH_BYTES} bytes"
        raise BadProof(message)
    return tuple(node for node in proof if node is not None)
