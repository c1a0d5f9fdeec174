"""What is known of a log from outside its database: keys, epochs, and heads that were kept elsewhere.

After the log was put back such a head is proven, or named as not covered by this log.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

from ledger.proofs.checkpoints import Checkpoint, open_signed
from ledger.proofs.errors import BadProof, KeyFileRefused
from ledger.proofs.merkle import Frontier, root_from_nodes
from ledger.proofs.notes import VerifierKey, WitnessKey
from ledger.sealing.checkpoints import nodes_of
from ledger.sealing.key_files import SigningKeys
from ledger.sealing.signing_keys import SigningFiles
from ledger.store.log import Epoch
from ledger.store.pool import Connection
from ledger.verification.heads import KnownKeys, LogNames


class ExternalHead(NamedTuple):
    """A head that was kept outside the database, its signature checked, and where it was kept."""

    where: str
    head: Checkpoint
    signed_by: tuple[VerifierKey, ...]
    note: str
    is_given: bool = False
    """Whether it is asked to be proven: one that lies beside the key may have been given up with an epoch."""


@dataclass(frozen=True, slots=True)
class TrustAnchors:
    """All that the database is held against."""

    keys: KnownKeys
    epochs: Sequence[Epoch] = ()
    """As they are kept beside the key; none where the log never began a further one."""
    heads: Sequence[ExternalHead] = ()
    witnesses: Sequence[WitnessKey] = ()
    """Each of these must have cosigned a head."""
    known_witnesses: Sequence[WitnessKey] = ()
    """What these have cosigned is checked and said."""

    @property
    def demanded(self) -> str:
        """The keys by which a signature is demanded, in one text; empty where the key files say which."""
        return " ".join(sorted(map(str, self.keys.keys))) if isinstance(self.keys, GivenKeys) else ""


@dataclass(frozen=True, slots=True)
class GivenKeys:
    """Verifier keys that somebody gave: each counts for every head that bears its name."""

    keys: Sequence[VerifierKey]

    def verifier_keys(self, epoch: int, size: int) -> list[VerifierKey]:  # noqa: ARG002 # nothing says from where on they signed
        """Return all of them."""
        return list(self.keys)


class KeyFileKeys:
    """The keys of the key files: each counts for the sizes that it signed."""

    def __init__(self, files: SigningFiles) -> None:
        """Read the files when they are first needed."""
        self._files = files
        self._past: dict[int, SigningKeys] = {}

    def verifier_keys(self, epoch: int, size: int) -> list[VerifierKey]:
        """Return the keys that count under a head of this epoch and size. Raises KeyFileRefused."""
        return self.of_epoch(epoch).verifier_keys_at(size)

    def of_epoch(self, epoch: int) -> SigningKeys:
        """Read the keys of one epoch. Raises KeyFileRefused."""
        if epoch not in self._past:
            there = self._files.of_epoch(epoch)
            self._past[epoch] = there.keys() if there.key.exists() else self.present
        return self._past[epoch]

    @cached_property
    def present(self) -> SigningKeys:
        """The keys of the present epoch. Raises KeyFileRefused."""
        if not self._files.key.exists():
            message = (
                f"the log's signing key {self._files.key} is not here: "
                "give the verifier key that you were given, with --key"
            )
            raise KeyFileRefused(message)
        return self._files.keys()


def anchors_beside_key(
    files: SigningFiles, since: Iterable[str] = (), witnesses: Sequence[WitnessKey] = ()
) -> TrustAnchors:
    """Take what lies beside the signing key, and signed heads kept elsewhere (`since`).

    Raises KeyFileRefused, BadNote.

    To be read before the database is: the head that is kept may be younger than the snapshot otherwise.
    """
    keys = KeyFileKeys(files)
    epochs = files.kept_epochs()
    heads = []
    for past in epochs[:-1]:
        there = files.of_epoch(past.epoch)
        if there.head.exists():
            heads += _kept(there, keys.of_epoch(past.epoch))
    if files.head.exists():
        heads += _kept(files, keys.present)
    known = [keys.of_epoch(past.epoch) for past in epochs[:-1]]
    if files.key.exists():
        known.append(keys.present)
    heads += _given(since, [key for signing in known for key in signing.verifier_keys])
    return TrustAnchors(keys, epochs, heads, witnesses)


def anchors_given(
    keys: Sequence[VerifierKey], since: Iterable[str] = (), witnesses: Sequence[WitnessKey] = ()
) -> TrustAnchors:
    """Take verifier keys, and heads that were kept elsewhere, as somebody gives them. Raises BadNote."""
    return TrustAnchors(GivenKeys(keys), heads=_given(since, keys), witnesses=witnesses)


def anchors_at_hand(
    files: SigningFiles,
    known_witnesses: Sequence[WitnessKey],
    *,
    keys: Sequence[VerifierKey] = (),
    since: Iterable[str] = (),
    witnesses: Sequence[WitnessKey] = (),
) -> TrustAnchors:
    """Take the keys that were given, else what lies beside the signing key. Raises as those two."""
    anchors = anchors_given(keys, since, witnesses) if keys else anchors_beside_key(files, since, witnesses)
    return replace(anchors, known_witnesses=known_witnesses)


def _kept(files: SigningFiles, keys: SigningKeys) -> list[ExternalHead]:
    if files.kept(keys) is None:
        return []
    note = files.kept_note()
    return [ExternalHead(f"the head kept in {files.head}", *open_signed(note, keys.verifier_keys), note)]


def _given(since: Iterable[str], keys: Sequence[VerifierKey]) -> list[ExternalHead]:
    return [ExternalHead("the head given", *open_signed(note, keys), note, is_given=True) for note in since]


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
_CHUNK_POSITIONS: Final = 4_096


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
    connection: Connection, book: str, names: LogNames, heads: Iterable[ExternalHead], size: int
) -> list[GivenHead]:
    """Return how far a log of `size` events, found sound, is shown to extend each head that was given."""
    return [_given_head(connection, book, names, kept.head, size) for kept in heads if kept.is_given]


def partings(names: LogNames, given: Sequence[GivenHead]) -> list[Parting]:
    """Return for each epoch that parted which of the heads given show what came before."""
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
    """Return in words why a head is not proven, and how far it is."""
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
    for first in range(common, head.size, _CHUNK_POSITIONS):
        asked = {
            "book": book,
            "epoch": epoch,
            "first": first,
            "end": min(head.size, first + _CHUNK_POSITIONS),
        }
        with connection.cursor() as cursor:
            cursor.execute(_LEAVES, asked)
            leaves = [leaf for (leaf,) in cursor.fetchall()]
        if None in leaves:
            return False
        frontier.extend([bytes(leaf) for leaf in leaves])
    return frontier.root() == head.root
