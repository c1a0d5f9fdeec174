"""What a carrier is given, and what it promises."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from schedulers.letters.kinds import LetterKind


class NotTaken(Exception):
    """The carrier did not take a letter, which is tried again; the message says why, and nothing of it."""


class CarrierAway(NotTaken):
    """The carrier takes no letter at all just now; that lies with none of them."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One letter as a carrier gets it."""

    reference: str
    """The letter's own for ever: what a carrier gets twice under one reference it posts once."""
    kind: LetterKind
    registered: bool
    language: str
    post_by: date | None
    """The last working day on which posting it is of use; None: no such day."""
    sha256: str
    pdf: bytes


class Carrier(Protocol):
    """Takes letters in two steps, so that a crash between any two lines leaves none lost and none doubled.

    `stage` may be undone, `deliver` never is. Between them the ledger notes, durably, that the batch is
    staged; after `deliver` it records that each letter was handed over. Whoever finds a batch staged calls
    `deliver` again, which must then do no more than what is left to do.
    """

    @property
    def name(self) -> str:
        """What LetterHandedOver calls it: never a password."""

    def stage(self, batch: str, parcels: Sequence[Parcel]) -> None:
        """Make a batch ready; nobody takes any of it yet. Raises NotTaken."""

    def deliver(self, batch: str, references: Collection[str], parcels: Iterable[Parcel]) -> Collection[str]:
        """Let the carrier take a staged batch; references of the letters that it has taken by now.

        `references` are those of the batch that nobody has told of yet; their `parcels` are opened only when
        they are asked for. Raises NotTaken at the first that is not taken.
        """

    def forget_unstaged(self, batches: Collection[str]) -> None:
        """Remove what was made ready for batches other than these: a crash came before they were noted."""

    def take_back(self, references: Collection[str]) -> int:
        """Remove letters that nobody has fetched yet, for their addressees were erased; how many."""
