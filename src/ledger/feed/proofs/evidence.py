"""What an auditor is given, verified offline: a bundle, a contract's proof, or a proof between two heads."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.feed.proofs.base64_text import to_base64
from ledger.feed.proofs.bundle import verify_bundle
from ledger.feed.proofs.bundle.write import Progress
from ledger.feed.proofs.checkpoint import Checkpoint, open_checkpoint, open_signed
from ledger.feed.proofs.contract_evidence import ContractProof
from ledger.feed.proofs.contract_file import verify_histories
from ledger.feed.proofs.cosignature import Witnessed, WitnessedHead, WitnessKey
from ledger.feed.proofs.given_files import read_head, read_proof
from ledger.feed.proofs.note import VerifierKey, split_note
from ledger.feed.proofs.proof_file import ConsistencyFile
from ledger.feed.proofs.refused import BadNote, BadProof, one_line

_CONSISTENCY = "old "
"""What a file begins with that proves one head to extend another."""


class AskedWrongly(Exception):
    """What is asked for does not go with what is given."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What was verified: under which head, signed and cosigned by whom."""

    head: Checkpoint
    signed_by: tuple[VerifierKey, ...]
    witnessed: tuple[WitnessedHead, ...]
    contract: ContractProof | None = None
    kept: tuple[Checkpoint, ...] = ()
    """Heads that the auditor kept and that the log extends."""
    bundle: tuple[str | None, int, int, int] | None = None
    """Book, streams, heads, and how many of these are older than the keys given."""

    @property
    def as_json(self) -> dict[str, Any]:
        """What `verify --json` prints."""
        told: dict[str, Any] = {
            "verified": True,
            "origin": self.head.origin,
            "size": self.head.size,
            "root": to_base64(self.head.root),
            "proven": self.head.size,
            "signed_by": [str(key) for key in self.signed_by],
            "cosigned": [cosigned_json(head) for head in self.witnessed],
        }
        if self.bundle is not None:
            book, streams, heads, not_checked = self.bundle
            told |= {"book": book, "streams": streams, "heads": heads, "heads_not_checked": not_checked}
            told["heads_kept"] = [{"origin": head.origin, "size": head.size} for head in self.kept]
        elif self.contract is None:
            told["since"] = self.kept[0].size
        if self.contract is not None:
            told |= {"contract": self.contract.contract, "events": self.contract.events}
        return told

    @property
    def lines(self) -> list[str]:
        """The same for people."""
        said = [self._first_line]
        for stream, events in (self.contract.events if self.contract else {}).items():
            said.append(f"{one_line(stream)}: {events:,} events, complete")
        if self.bundle is not None:
            said += [
                f"kept head: {head.origin}, {head.size:,} events: the log extends it" for head in self.kept
            ]
            if self.bundle[3]:
                said.append(
                    f"{self.bundle[3]:,} older heads are signed by keys that were not given: the log passes "
                    "through them, their signatures are not checked"
                )
        said.append(
            one_line(f"head: {self.head.origin}, {self.head.size:,} events, root {to_base64(self.head.root)}")
        )
        said += [one_line(f"signed by: {key}") for key in self.signed_by]
        return said + [cosigned_line(head) for head in self.witnessed]

    @property
    def _first_line(self) -> str:
        if self.bundle is not None:
            _, streams, heads, _ = self.bundle
            return f"verified: {self.head.size:,} events in {streams:,} streams, {heads:,} signed heads"
        if self.contract is not None:
            events = sum(self.contract.events.values())
            return one_line(f"verified: contract {self.contract.contract}, {events:,} events")
        since = self.kept[0].size
        return f"verified: the log of {self.head.size:,} events begins with the {since:,} of the older head"


def cosigned_json(head: WitnessedHead) -> dict[str, object]:
    """Return what `--json` says of a witness."""
    return {"witness": str(head.key), "size": head.size, "at": head.at.isoformat()}


def cosigned_line(head: WitnessedHead) -> str:
    """Return the same for people."""
    return one_line(f"cosigned by: {head.key.label}, up to {head.size:,} events, at {head.at.isoformat()}")


def read_kept(path: Path) -> str:
    """Read a signed head that somebody kept; its signature is checked later. Raises AskedWrongly."""
    try:
        note = read_head(path)
        split_note(note)
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror})"
        raise AskedWrongly(message) from error
    except (BadNote, BadProof) as error:
        message = f"{path} is no signed head ({error}): give a file that `checkpoint` wrote"
        raise AskedWrongly(message) from error
    return note


def verify_evidence(  # noqa: PLR0913  # each is a part of the question
    target: Path,
    keys: Sequence[VerifierKey],
    *,
    since: Sequence[str] = (),
    contract: str | None = None,
    witnesses: Sequence[WitnessKey] = (),
    progress: Progress | None = None,
) -> Proven:
    """Verify a folder or a file. Raises AskedWrongly, and ProofRefused where it does not verify."""
    if target.is_dir():
        proof = verify_bundle(
            target, keys, since=since, contract=contract, witnesses=witnesses, progress=progress
        )
        numbers = (proof.book, proof.streams, proof.heads, proof.heads_not_checked)
        return Proven(proof.head, proof.signed_by, proof.witnessed, proof.contract, proof.kept, numbers)
    try:
        text = read_proof(target)
    except OSError as error:
        message = f"{target} cannot be read ({error.strerror})"
        raise AskedWrongly(message) from error
    if text.startswith(_CONSISTENCY):
        if contract is not None:
            message = "--contract asks for a bundle or a contract's proof: this file proves heads alone"
            raise AskedWrongly(message)
        return _consistency(text, keys, since, witnesses)
    if since:
        message = "--since asks for a bundle: one contract's proof does not show what the log held before"
        raise AskedWrongly(message)
    return _contract(text, keys, contract, witnesses)


def _contract(
    text: str, keys: Sequence[VerifierKey], contract: str | None, witnesses: Sequence[WitnessKey]
) -> Proven:
    note, proof = verify_histories(text, keys)
    if contract is not None and contract != proof.contract:
        message = f"the file is the proof of contract {proof.contract}, not of {contract}"
        raise BadProof(message)
    head, signed_by = open_signed(note, keys)
    return Proven(head, signed_by, _witnessed(note, head, witnesses), proof)


def _consistency(
    text: str, keys: Sequence[VerifierKey], since: Sequence[str], witnesses: Sequence[WitnessKey]
) -> Proven:
    if len(since) != 1:
        message = "a proof that one head extends another is held against the older one: give it with --since"
        raise AskedWrongly(message)
    old = open_checkpoint(since[0], keys)
    file = ConsistencyFile.parse(text)
    file.verify(old, keys)
    head, signed_by = open_signed(file.checkpoint, keys)
    return Proven(head, signed_by, _witnessed(file.checkpoint, head, witnesses), kept=(old,))


def _witnessed(note: str, head: Checkpoint, witnesses: Sequence[WitnessKey]) -> tuple[WitnessedHead, ...]:
    witnessed = Witnessed(witnesses)
    witnessed.read(note, head.size)
    for key in witnessed.missing:
        message = f"the head bears no cosignature of the witness {key.label}"
        raise BadProof(message)
    return tuple(witnessed.heads)
