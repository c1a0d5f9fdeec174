"""The signed heads that a log must pass through: those in the database, and those kept outside it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ledger.proofs.checkpoints import Checkpoint
from ledger.proofs.errors import BadProof
from ledger.proofs.merkle import root_from_nodes
from ledger.proofs.notes import VerifierKey
from ledger.sealing.checkpoints import nodes_of
from ledger.store.pool import Connection, Pool
from ledger.verification.chunks import LogChunk
from ledger.verification.findings import NotVerified
from ledger.verification.heads import LogNames, is_published, opened_head
from ledger.verification.progress import VerificationProgress
from ledger.verification.trust_anchors import TrustAnchors


class PassedHead(NamedTuple):
    """A head that the log must pass through: its root at its size."""

    size: int
    root: bytes
    where: str
    signed_by: tuple[str, ...]
    """The verifier keys that signed it; none where it is older than those that were given."""

    def forked(self, proven: int) -> NotVerified:
        """Return the finding that the log has another root; positions below `proven` are sound."""
        reason = (
            f"the log of {self.size} events has another root: "
            f"one of positions {proven} to {self.size - 1} is not what was signed"
        )
        return NotVerified(proven, self.where, reason)


class KeptHead(NamedTuple):
    """A head kept outside, that stands for what the log holds now."""

    epoch: int
    passed: PassedHead


class HeadFault(NamedTuple):
    """What is wrong with the head of some size."""

    size: int
    fault: NotVerified


class ExpectedHeads(NamedTuple):
    """The heads of one chunk, by size, how many of them the database keeps, and what is wrong already."""

    passed: Sequence[PassedHead]
    stored: int
    not_checked: int
    """Of these, such as are older than the keys given."""
    faults: Sequence[HeadFault]


class HeadScan:
    """All heads that one pass meets."""

    def __init__(self, book: str, names: LogNames, outside: TrustAnchors) -> None:
        """Take the heads kept outside. Raises NotVerified for one of another log."""
        self._book = book
        self._names = names
        self._outside = outside
        self._kept: list[KeptHead] = [
            kept
            for where, head, signed_by, _, _ in outside.heads
            if (kept := self._bound(where, head, signed_by))
        ]

    def check_above(self, size: int) -> None:
        """Refuse kept heads of more events than a log of `size`, found sound, has. Raises NotVerified."""
        for _, passed in self._kept:
            if passed.size > size:
                reason = (
                    f"it has {passed.size} events, the database only {size}: the database is older, "
                    "or was cut"
                )
                raise NotVerified(size, passed.where, reason)

    def check_below(self, connection: Connection, size: int) -> None:
        """Check kept heads of at most `size` events by the stored nodes: an earlier pass saw the rows."""
        for _, kept in self._kept:
            if kept.size > size:
                continue
            try:
                root = root_from_nodes(kept.size, nodes_of(connection, self._book))
            except BadProof as error:
                raise NotVerified(0, "ledger.log_nodes", str(error)) from error
            if root != kept.root:
                raise kept.forked(0)

    def expected(self, chunk: LogChunk, standing: VerificationProgress) -> ExpectedHeads:
        """Return the heads that fall into a chunk, signatures checked; all before it is sound."""
        passed = [kept for _, kept in self._kept if chunk.first < kept.size <= chunk.end]
        faults, count, not_checked, proven = [], 0, 0, standing.proven
        # Who was given the present key alone cannot check what an earlier one signed before it.
        may_be_older = bool(self._outside.demanded) and standing.heads == standing.not_checked
        for stored in chunk.heads:
            origin = self._names.origin_in(stored.epoch)
            try:
                signed, signed_by = opened_head(
                    stored, origin, self._outside.keys, proven, may_be_older=may_be_older
                )
            except NotVerified as fault:
                faults.append(HeadFault(stored.size, fault))
                continue
            if self._names.binds(stored.epoch, stored.size):
                keys = tuple(map(str, signed_by))
                passed.append(PassedHead(signed.size, signed.root, stored.row, keys))
                may_be_older = may_be_older and not keys
                proven, count = signed.size, count + 1
                not_checked += not keys
        return ExpectedHeads(sorted(passed), count, not_checked, faults)

    def check_published(self, connection: Connection, pool: Pool) -> None:
        """Refuse a database that lacks a head which is kept outside it. Raises NotVerified.

        A head is kept before it is published, so one that is missing is looked for once more, after the
        snapshot.
        """
        for epoch, kept in self._kept:
            if is_published(connection, self._book, epoch, kept.size):
                continue
            with pool.connection() as later:
                if is_published(later, self._book, epoch, kept.size):
                    continue
            reason = (
                "ledger.checkpoints has no such head: it was deleted, or its program ended "
                "before it was published; "
                "`coverledger checkpoint` publishes it again"
            )
            raise NotVerified(None, f"{kept.where}, size {kept.size}", reason)

    def _bound(self, where: str, head: Checkpoint, signed_by: Iterable[VerifierKey]) -> KeptHead | None:
        """Take a kept head, unless what it stands for was given up when the log was put back."""
        epoch = next((known.epoch for known in self._names.epochs if known.origin == head.origin), None)
        if epoch is None:
            raise NotVerified(
                None, where, f"it is of the log {head.origin}, the database's is {self._names.origin}"
            )
        if head.size == 0 or not self._names.binds(epoch, head.size):
            return None
        return KeptHead(epoch, PassedHead(head.size, head.root, where, tuple(map(str, signed_by))))
