"""Heads that somebody kept, after the log was put back: proven, or named as not covered by this log."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ledger.feed.proofs.checkpoint import Checkpoint
from ledger.feed.proofs.merkle import Frontier, root_from_nodes
from ledger.feed.proofs.refused import BadProof
from ledger.feed.signing.growing import nodes_of
from ledger.feed.verification.epochs import LogNames
from ledger.feed.verification.outside import OutsideHead
from ledger.store.log import Epoch
from ledger.store.pool import Connection

# The leaf that a position had in an epoch: what that epoch lost, else what a later one lost, else the log.
_LEAVES: Final = """
select coalesce(
    (
        select p.leaf_hash from ledger.parted_leaves p
        where p.book = %(book)s and p.position = w.position and p.epoch >= %(epoch)s order by p.epoch limit 1
    ),
    (select l.leaf_hash from ledger.log l where l.book = %(book)s and l.position = w.position)
)
from generate_series(%(first)s::bigint, %(end)s::bigint - 1) as w (position) order by w.position
"""
_PORTION: Final = 4_096


class GivenHead(NamedTuple):
    """A head that somebody kept and gave, and how far the log is shown to extend it."""

    origin: str
    epoch: int
    size: int
    covered: int | None
    """The first so many of its events are those of this log; None where nothing is shown."""

    @property
    def is_proven(self) -> bool:
        """Whether the log extends it whole."""
        return self.covered == self.size


class Parting(NamedTuple):
    """An epoch that began when the log was put back, and what shows from outside what came before."""

    epoch: int
    origin: str
    from_position: int
    lost_size: int | None
    because: str
    heads_given: int
    """Heads of earlier epochs that were given, and are shown to have the log's first events."""


def given_heads(
    connection: Connection, book: str, names: LogNames, heads: Iterable[OutsideHead], size: int
) -> list[GivenHead]:
    """Say of each head that was given how far a log of `size` events, found sound, is shown to extend it."""
    return [_given_head(connection, book, names, kept.head, size) for kept in heads if kept.is_given]


def partings(names: LogNames, given: Sequence[GivenHead]) -> list[Parting]:
    """Say of each epoch that parted which of the heads given show what came before."""
    return [
        Parting(
            epoch.epoch,
            epoch.origin,
            epoch.from_position,
            epoch.lost_size,
            epoch.because,
            sum(head.epoch < epoch.epoch and head.covered is not None for head in given),
        )
        for epoch in names.epochs
        if epoch.epoch > 1
    ]


def why_not_covered(names: LogNames, head: GivenHead) -> str:
    """Say in words why a head is not proven, and how far it is."""
    first = _parting(names, head.epoch)
    shown = (
        f"its first {head.covered:,} are this log's; the others were given up"
        if head.covered is not None
        else "what it held is not all here any more, so that no part of it can be shown to be this log's: "
        "hold it against a backup or a bundle of that time"
    )
    return (
        f"not covered by this log: it is of {head.size:,} events of epoch {head.epoch}, and epoch "
        f"{first.epoch} parted at position {first.from_position:,} ({first.because}); {shown}"
    )


def _given_head(connection: Connection, book: str, names: LogNames, head: Checkpoint, size: int) -> GivenHead:
    epoch = next(known.epoch for known in names.epochs if known.origin == head.origin)
    covered: int | None = None
    if names.binds(epoch, head.size) or _is_root_of(connection, book, head, size):
        covered = head.size
    else:
        common = min(_parting(names, epoch).from_position, size)
        if common and _extends(connection, book, epoch, common, head):
            covered = common
    return GivenHead(head.origin, epoch, head.size, covered)


def _parting(names: LogNames, epoch: int) -> Epoch:
    """Return the epoch that parts first from an earlier one."""
    later = [known for known in names.epochs if known.epoch > epoch]
    return min(later, key=lambda known: known.from_position)


def _is_root_of(connection: Connection, book: str, head: Checkpoint, size: int) -> bool:
    """Whether the log has the head's root at its size: then they do not differ, whatever may have parted."""
    try:
        return head.size <= size and root_from_nodes(head.size, nodes_of(connection, book)) == head.root
    except BadProof:
        return False


def _extends(connection: Connection, book: str, epoch: int, common: int, head: Checkpoint) -> bool:
    """Whether the head's tree begins with the log's first `common` leaves, by those that were given up."""
    try:
        frontier = Frontier.read(common, nodes_of(connection, book))
    except BadProof:
        return False
    for first in range(common, head.size, _PORTION):
        asked = {"book": book, "epoch": epoch, "first": first, "end": min(head.size, first + _PORTION)}
        with connection.cursor() as cursor:
            cursor.execute(_LEAVES, asked)
            leaves = [leaf for (leaf,) in cursor.fetchall()]
        if None in leaves:
            return False
        frontier.extend([bytes(leaf) for leaf in leaves])
    return frontier.root() == head.root
