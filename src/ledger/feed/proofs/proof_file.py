"""Proofs as files: inclusion as C2SP tlog-proof, consistency as the body of tlog-witness's add-checkpoint."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.feed.proofs.base64_text import from_base64, to_base64
from ledger.feed.proofs.checkpoint import Checkpoint, open_checkpoint
from ledger.feed.proofs.decimal_text import from_decimal
from ledger.feed.proofs.merkle import HASH_BYTES
from ledger.feed.proofs.merkle_proof import verify_consistency, verify_inclusion
from ledger.feed.proofs.note import VerifierKey
from ledger.feed.proofs.refused import BadProof

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
