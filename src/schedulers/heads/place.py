"""What a place outside is given, and what it does with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from ledger.attempts import ItemFailed
from ledger.proofs.checkpoints import Checkpoint
from ledger.proofs.notes import Cosignature


class NotSent(ItemFailed):
    """A place did not take the head; the message says why, without any password."""


@dataclass(frozen=True, slots=True)
class DaysHead:
    """The head of one day."""

    day: date
    """The Brussels day on which it is sent."""
    head: Checkpoint
    note: str
    """The signed head as it was written."""
    proof_from: Callable[[int], list[bytes]]
    """Gives the proof that the head extends the log's first so many events."""
    sent_size: int
    """Size of the newest head of this log that the place took before; 0 for none."""
    keep_cosignatures: Callable[[Sequence[Cosignature]], None]
    """Keeps what witnesses have cosigned, so that it is served with the head."""


class Place(Protocol):
    """Somewhere outside."""

    @property
    def name(self) -> str:
        """What it is called in the table of what was sent."""

    def take(self, given: DaysHead) -> str:
        """Give it the head; what it answered, in a line. Raises NotSent."""
