"""What is known of a log from outside its database: keys, epochs, and heads that were kept elsewhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from ledger.feed.proofs.checkpoint import Checkpoint, open_signed
from ledger.feed.proofs.cosignature import WitnessKey
from ledger.feed.proofs.keyfile import SigningKeys
from ledger.feed.proofs.note import VerifierKey
from ledger.feed.proofs.refused import KeyFileRefused
from ledger.feed.signing.places import SigningPlace
from ledger.feed.verification.heads import KnownKeys
from ledger.store.log import Epoch


class OutsideHead(NamedTuple):
    """A head that was kept outside the database, its signature checked, and where it was kept."""

    where: str
    head: Checkpoint
    signed_by: tuple[VerifierKey, ...]
    note: str
    is_given: bool = False
    """Whether it is asked to be proven: one that lies beside the key may have been given up with an epoch."""


@dataclass(frozen=True, slots=True)
class Outside:
    """All that the database is held against."""

    keys: KnownKeys
    epochs: Sequence[Epoch] = ()
    """As they are kept beside the key; none where the log never began a further one."""
    heads: Sequence[OutsideHead] = ()
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
        """Give all of them."""
        return list(self.keys)


class KeysBeside:
    """The keys of the key files: each counts for the sizes that it signed."""

    def __init__(self, place: SigningPlace) -> None:
        """Read the files when they are first needed."""
        self._place = place
        self._past: dict[int, SigningKeys] = {}

    def verifier_keys(self, epoch: int, size: int) -> list[VerifierKey]:
        """Give the keys whose signature counts under a head of this epoch and size. Raises KeyFileRefused."""
        return self.of_epoch(epoch).verifier_keys_at(size)

    def of_epoch(self, epoch: int) -> SigningKeys:
        """Read the keys of one epoch. Raises KeyFileRefused."""
        if epoch not in self._past:
            there = self._place.of_epoch(epoch)
            self._past[epoch] = there.keys() if there.key.exists() else self.present
        return self._past[epoch]

    @cached_property
    def present(self) -> SigningKeys:
        """The keys of the present epoch. Raises KeyFileRefused."""
        if not self._place.key.exists():
            message = (
                f"the log's signing key {self._place.key} is not here: "
                "give the verifier key that you were given, with --key"
            )
            raise KeyFileRefused(message)
        return self._place.keys()


def beside_the_key(
    place: SigningPlace, since: Iterable[str] = (), witnesses: Sequence[WitnessKey] = ()
) -> Outside:
    """Take what lies beside the signing key, and signed heads kept elsewhere (`since`).

    Raises KeyFileRefused, BadNote.

    To be read before the database is: the head that is kept may be younger than the snapshot otherwise.
    """
    keys = KeysBeside(place)
    epochs = place.kept_epochs()
    heads = []
    for past in epochs[:-1]:
        there = place.of_epoch(past.epoch)
        if there.head.exists():
            heads += _kept(there, keys.of_epoch(past.epoch))
    if place.head.exists():
        heads += _kept(place, keys.present)
    known = [keys.of_epoch(past.epoch) for past in epochs[:-1]]
    if place.key.exists():
        known.append(keys.present)
    heads += _given(since, [key for signing in known for key in signing.verifier_keys])
    return Outside(keys, epochs, heads, witnesses)


def as_given(
    keys: Sequence[VerifierKey], since: Iterable[str] = (), witnesses: Sequence[WitnessKey] = ()
) -> Outside:
    """Take verifier keys, and heads that were kept elsewhere, as somebody gives them. Raises BadNote."""
    return Outside(GivenKeys(keys), heads=_given(since, keys), witnesses=witnesses)


def _kept(place: SigningPlace, keys: SigningKeys) -> list[OutsideHead]:
    if place.kept(keys) is None:
        return []
    note = place.kept_note()
    return [OutsideHead(f"the head kept in {place.head}", *open_signed(note, keys.verifier_keys), note)]


def _given(since: Iterable[str], keys: Sequence[VerifierKey]) -> list[OutsideHead]:
    return [OutsideHead("the head given", *open_signed(note, keys), note, is_given=True) for note in since]
