"""Verifies a bundle offline, trusting nothing but the verifier keys: one pass, in constant memory.

Memory grows with the number of streams only (see `StreamChains`), never with the number of events.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ledger.feed.proofs.bundle.files import check_loose_files, check_no_other_files, check_plain_files
from ledger.feed.proofs.bundle.heads import KEPT, ExpectedHead, expected_heads, open_head
from ledger.feed.proofs.bundle.layout import HISTORY
from ledger.feed.proofs.bundle.payloads import PayloadReader
from ledger.feed.proofs.bundle.tree_files import TreeFiles
from ledger.feed.proofs.bundle.write import Progress
from ledger.feed.proofs.checkpoint import Checkpoint, not_covered
from ledger.feed.proofs.contract_evidence import ContractEvidence, ContractProof
from ledger.feed.proofs.cosignature import Witnessed, WitnessedHead, WitnessKey
from ledger.feed.proofs.leaf import payload_sha256, read_leaf
from ledger.feed.proofs.merkle import Frontier, leaf_hashes
from ledger.feed.proofs.note import VerifierKey
from ledger.feed.proofs.refused import BadLeaf, BadNote, BrokenChain, BundleBroken
from ledger.feed.proofs.stream_chain import StreamChains
from ledger.feed.proofs.tiles import Entries, entries_of


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
    progress: Progress | None = None,
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
        """Give the offsets between which no head falls; the heads are met as the log grows."""
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
