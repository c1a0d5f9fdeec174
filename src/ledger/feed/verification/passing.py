"""The signed heads that a log must pass through: those in the database, and those kept outside it."""

from collections.abc import Sequence
from typing import NamedTuple

from ledger.feed.proofs.merkle import root_from_nodes
from ledger.feed.proofs.refused import BadProof
from ledger.feed.signing.growing import nodes_of
from ledger.feed.verification.epochs import LogNames
from ledger.feed.verification.fault import NotVerified
from ledger.feed.verification.heads import is_published, opened_head
from ledger.feed.verification.outside import Outside
from ledger.feed.verification.portions import Portion
from ledger.store.pool import Connection, Pool


class PassedHead(NamedTuple):
    """A head that the log must pass through: its root at its size."""

    size: int
    root: bytes
    where: str

    def forked(self, proven: int) -> NotVerified:
        """Say that the log has another root; positions below `proven` are sound."""
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
    """The heads of one portion, by size, how many of them the database keeps, and what is wrong already."""

    passed: Sequence[PassedHead]
    stored: int
    faults: Sequence[HeadFault]


class Passing:
    """All heads that one pass meets."""

    def __init__(self, book: str, names: LogNames, outside: Outside, size: int) -> None:
        """Take the heads kept outside. Raises NotVerified for one that a log of `size` events cannot have."""
        self._book = book
        self._names = names
        self._outside = outside
        self._kept = [
            kept
            for where, head in outside.heads
            if (kept := self._bound(where, head.origin, head.size, head.root))
        ]
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

    def expected(self, portion: Portion, proven: int) -> ExpectedHeads:
        """Give the heads that fall into a portion, signatures checked; below `proven` all is."""
        passed = [kept for _, kept in self._kept if portion.first < kept.size <= portion.end]
        faults, count = [], 0
        for stored in portion.heads:
            try:
                signed = opened_head(stored, self._names.origin_in(stored.epoch), self._outside.keys, proven)
            except NotVerified as fault:
                faults.append(HeadFault(stored.size, fault))
                continue
            if self._names.binds(stored.epoch, stored.size):
                passed.append(PassedHead(signed.size, signed.root, stored.row))
                proven, count = signed.size, count + 1
        return ExpectedHeads(sorted(passed), count, faults)

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
                "`claims-ledger checkpoint` publishes it again"
            )
            raise NotVerified(None, f"{kept.where}, size {kept.size}", reason)

    def _bound(self, where: str, origin: str, size: int, root: bytes) -> KeptHead | None:
        """Take a kept head, unless what it stands for was lost when the log was put back."""
        epoch = next((known.epoch for known in self._names.epochs if known.origin == origin), None)
        if epoch is None:
            raise NotVerified(
                None, where, f"it is of the log {origin}, the database's is {self._names.origin}"
            )
        if size == 0 or not self._names.binds(epoch, size):
            return None
        return KeptHead(epoch, PassedHead(size, root, where))
