"""What an auditor is given, verified offline: a bundle, a contract's proof, or a proof between two heads.

Nothing is trusted but the verifier keys. A bundle is read in one pass: memory grows with the number of
streams only (see `StreamChains`), never with the number of events.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from ledger.proofs.bundle import HISTORY, OnProgress
from ledger.proofs.bundle_reader import (
    KEPT,
    ExpectedHead,
    PayloadReader,
    TreeFiles,
    check_loose_files,
    check_no_other_files,
    check_plain_files,
    expected_heads,
    open_head,
)
from ledger.proofs.checkpoints import Checkpoint, ConsistencyFile, not_covered, open_checkpoint, open_signed
from ledger.proofs.contract_proof import ContractEvidence, ContractProof, verify_histories
from ledger.proofs.errors import BadLeaf, BadNote, BadProof, BrokenChain, BundleBroken, one_line
from ledger.proofs.leaf import StreamChains, payload_sha256, read_leaf
from ledger.proofs.merkle import Frontier, leaf_hashes
from ledger.proofs.notes import VerifierKey, Witnessed, WitnessedHead, WitnessKey, split_note, to_base64
from ledger.proofs.tiles import Entries, entries_of
from ledger.proofs.untrusted_files import read_head, read_proof


@dataclass(frozen=True, slots=True)
class BundleProof:
    """What a verified bundle proves: as of this head, these are all events, in this order, unchanged."""

    head: Checkpoint
    book: str | None
    streams: int
    heads: int
    contract: ContractProof | None
    signed_by: tuple[VerifierKey, ...] = ()
    """The keys, of those given, that signed the head."""
    heads_not_checked: int = 0
    """Heads, of these `heads`, that are older than the keys given: only their roots were compared."""
    kept: tuple[Checkpoint, ...] = ()
    """The heads that the auditor kept: the log extends each."""
    witnessed: tuple[WitnessedHead, ...] = ()


def verify_bundle(  # noqa: PLR0913  # each is a part of the question
    directory: Path,
    keys: Sequence[VerifierKey],
    *,
    since: Iterable[str] = (),
    contract: str | None = None,
    witnesses: Sequence[WitnessKey] = (),
    progress: OnProgress | None = None,
) -> BundleProof:
    """Verify a bundle against verifier keys that were obtained elsewhere than from the bundle.

    `since`: older signed heads that the auditor kept; the log must extend each. `contract`: number of a
    contract whose streams must be there; `witnesses`: each must have cosigned a head.

    Raises BundleBroken, which names the first bad position and why.
    """
    check_plain_files(directory)
    own = open_head(directory, keys)
    heads = expected_heads(directory, own.head, keys, since)
    audit = _Audit(directory, own, heads, contract, witnesses)
    for entries in entries_of(own.size):
        audit.check(entries)
        if progress is not None:
            progress(audit.frontier.size, own.size)
    return audit.conclude()


class _Audit:
    """One pass over a bundle."""

    def __init__(
        self,
        directory: Path,
        own: ExpectedHead,
        heads: Iterator[ExpectedHead],
        contract: str | None,
        witnesses: Sequence[WitnessKey],
    ) -> None:
        self.frontier = Frontier()
        self._directory = directory
        self._own = own
        self._head = own.head
        self._heads = heads
        self._next_head = next(heads, None)
        self._heads_passed = 0
        self._not_checked = 0
        self._kept: list[Checkpoint] = []
        self._not_covered: list[Checkpoint] = []
        self._witnessed = Witnessed(witnesses)
        self._proven = 0
        self._chains = StreamChains()
        self._tree = TreeFiles(directory, own.size)
        self._evidence = None if contract is None else ContractEvidence(contract)
        self._pass_heads()

    def check(self, entries: Entries) -> None:
        """Check the next bundle of entries: leaves, payloads, streams, tiles, heads, in order of position."""
        leaves, fault = self._tree.read_entries(entries)
        hashes = leaf_hashes(leaves)
        fault = self._tree.compare_leaves(entries, hashes) or fault
        sound = fault.position - self.frontier.size if fault and fault.position is not None else len(leaves)
        first = self.frontier.size
        with PayloadReader(self._directory, entries) as payloads:
            for start, end in pairwise(self._stops(first, sound)):
                for offset in range(start, end):
                    self._check_event(first + offset, leaves[offset], hashes[offset], payloads, entries.path)
                self._tree.compare_above(self.frontier.grow(hashes[start:end]), self._proven)
                self._pass_heads()
            if fault:
                raise fault
            payloads.finish()

    def conclude(self) -> BundleProof:
        """Check what does not hang on a position, and say what is proven."""
        contract = None
        if self._evidence is not None:
            concluded = self._evidence.conclude(self._chains)
            if isinstance(concluded, str):
                raise BundleBroken(None, f"contract {self._evidence.contract}", concluded)
            contract = concluded
        check_no_other_files(self._directory, self._head.size)
        check_loose_files(self._directory)
        self._refuse_what_is_not_covered()
        return BundleProof(
            self._head,
            self._chains.book,
            len(self._chains),
            self._heads_passed,
            contract,
            self._own.signed_by,
            self._not_checked,
            tuple(self._kept),
            tuple(self._witnessed.heads),
        )

    def _refuse_what_is_not_covered(self) -> None:
        """Refuse heads that were asked for and are not proven, the bundle being sound for the rest."""
        beyond = [] if self._next_head is None else [self._next_head.head]
        beyond += [later.head for later in self._heads]
        for head in beyond:
            if head.origin == self._head.origin:
                size = self._head.size
                message = (
                    f"it has {head.size} events, the bundle only {size}: the bundle is older, or was cut"
                )
                raise BundleBroken(size, KEPT, message)
        self._not_covered += beyond
        if self._not_covered:
            raise BundleBroken(None, KEPT, f"{not_covered(self._not_covered, self._head)}")
        for key in self._witnessed.missing:
            message = f"no head in the bundle bears a cosignature of the witness {key.label}"
            raise BundleBroken(None, HISTORY, message)

    def _stops(self, first: int, sound: int) -> Iterator[int]:
        """Yield the offsets between which no head falls; the heads are met as the log grows."""
        yield 0
        reached = 0
        while self._next_head is not None and reached < self._next_head.size - first < sound:
            reached = self._next_head.size - first
            yield reached
        yield sound

    def _check_event(
        self, position: int, entry: bytes, leaf_hash: bytes, payloads: PayloadReader, path: str
    ) -> None:
        try:
            leaf = read_leaf(entry)
            self._chains.follow(leaf, leaf_hash)
        except BadLeaf as error:
            raise BundleBroken(position, path, str(error)) from error
        except BrokenChain as error:
            first = position if error.cut_from is None else max(error.cut_from, self._proven)
            between = (
                f": what is missing stood between {first} and here, {position}" if first < position else ""
            )
            raise BundleBroken(first, path, f"{error}{between}") from error
        payload = payloads.read()
        if payload_sha256(payload) != leaf.payload_sha256:
            message = f"the payload of {leaf.stream} version {leaf.version} is not the one its leaf names"
            raise BundleBroken(position, payloads.path, message)
        if self._evidence is not None:
            wrong = self._evidence.read(leaf, payload)
            if wrong:
                raise BundleBroken(position, payloads.path, wrong)

    def _pass_heads(self) -> None:
        """Compare the root with each head of the present size."""
        while self._next_head is not None and self._next_head.size == self.frontier.size:
            passed, self._next_head = self._next_head, next(self._heads, None)
            if self.frontier.root() == passed.head.root:
                self._pass(passed)
            elif passed.is_kept and passed.head.origin != self._head.origin:
                self._not_covered.append(passed.head)
            else:
                message = (
                    f"the head of size {passed.size} has another root: "
                    f"one of positions {self._proven} to {passed.size - 1} is not what was signed"
                )
                raise BundleBroken(self._proven, passed.path, message)

    def _pass(self, passed: ExpectedHead) -> None:
        try:
            self._witnessed.read(passed.note, passed.size)
        except BadNote as error:
            raise BundleBroken(self._proven, passed.path, str(error)) from error
        self._proven = self.frontier.size
        self._heads_passed += 1
        self._not_checked += not passed.signed_by
        if passed.is_kept:
            self._kept.append(passed.head)


_CONSISTENCY = "old "
"""What a file begins with that proves one head to extend another."""


class EvidenceUsageError(Exception):
    """What is asked for does not go with what is given."""


@dataclass(frozen=True, slots=True)
class VerifiedEvidence:
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
        raise EvidenceUsageError(message) from error
    except (BadNote, BadProof) as error:
        message = f"{path} is no signed head ({error}): give a file that `checkpoint` wrote"
        raise EvidenceUsageError(message) from error
    return note


def verify_evidence(  # noqa: PLR0913  # each is a part of the question
    target: Path,
    keys: Sequence[VerifierKey],
    *,
    since: Sequence[str] = (),
    contract: str | None = None,
    witnesses: Sequence[WitnessKey] = (),
    progress: OnProgress | None = None,
) -> VerifiedEvidence:
    """Verify a folder or a file. Raises AskedWrongly, and ProofRefused where it does not verify."""
    if target.is_dir():
        proof = verify_bundle(
            target, keys, since=since, contract=contract, witnesses=witnesses, progress=progress
        )
        numbers = (proof.book, proof.streams, proof.heads, proof.heads_not_checked)
        return VerifiedEvidence(
            proof.head, proof.signed_by, proof.witnessed, proof.contract, proof.kept, numbers
        )
    try:
        text = read_proof(target)
    except OSError as error:
        message = f"{target} cannot be read ({error.strerror})"
        raise EvidenceUsageError(message) from error
    if text.startswith(_CONSISTENCY):
        if contract is not None:
            message = "--contract asks for a bundle or a contract's proof: this file proves heads alone"
            raise EvidenceUsageError(message)
        return _consistency(text, keys, since, witnesses)
    if since:
        message = "--since asks for a bundle: one contract's proof does not show what the log held before"
        raise EvidenceUsageError(message)
    return _contract(text, keys, contract, witnesses)


def _contract(
    text: str, keys: Sequence[VerifierKey], contract: str | None, witnesses: Sequence[WitnessKey]
) -> VerifiedEvidence:
    note, proof = verify_histories(text, keys)
    if contract is not None and contract != proof.contract:
        message = f"the file is the proof of contract {proof.contract}, not of {contract}"
        raise BadProof(message)
    head, signed_by = open_signed(note, keys)
    return VerifiedEvidence(head, signed_by, _witnessed(note, head, witnesses), proof)


def _consistency(
    text: str, keys: Sequence[VerifierKey], since: Sequence[str], witnesses: Sequence[WitnessKey]
) -> VerifiedEvidence:
    if len(since) != 1:
        message = "a proof that one head extends another is held against the older one: give it with --since"
        raise EvidenceUsageError(message)
    old = open_checkpoint(since[0], keys)
    file = ConsistencyFile.parse(text)
    file.verify(old, keys)
    head, signed_by = open_signed(file.checkpoint, keys)
    return VerifiedEvidence(head, signed_by, _witnessed(file.checkpoint, head, witnesses), kept=(old,))


def _witnessed(note: str, head: Checkpoint, witnesses: Sequence[WitnessKey]) -> tuple[WitnessedHead, ...]:
    witnessed = Witnessed(witnesses)
    witnessed.read(note, head.size)
    for key in witnessed.missing:
        message = f"the head bears no cosignature of the witness {key.label}"
        raise BadProof(message)
    return tuple(witnessed.heads)
