"""What a check finds: what is raised when something is not as recorded, and what is said when all is well."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ledger.proofs.errors import ProofRefused


class NotVerified(ProofRefused):
    """The database does not hold what was recorded, sealed and signed.

    `position`: the first bad position, or the first that is not proven any more; None where the fault
    hangs on no position. `row`: the table's row that is at fault, in words.
    """

    def __init__(self, position: int | None, row: str, reason: str) -> None:
        """Join position, row and reason into one line."""
        self.position, self.row, self.reason = position, row, reason
        place = row if position is None else f"position {position} ({row})"
        super().__init__(f"{place}: {reason}")


class CutOut(NotVerified):
    """An event is missing before this one in its stream: it stood at `position`, or between that and here."""


class LessProven(NotVerified):
    """The database is sound, as far as can be shown, and that is less than what was asked."""

    proven: Mapping[str, object] = {}
    """What is proven, as `verify --json` prints it."""


OnProgress = Callable[[int, int], None]
"""Told how many events are folded and how many there are."""


class CheckedView(NamedTuple):
    """A view that is what the feed gives: its rows, and the position that it stands for."""

    rows: int
    position: int
    """-1 where it has not followed the feed yet."""
