"""What is raised when the database is not what its log says."""

from collections.abc import Mapping

from ledger.feed.proofs.refused import ProofRefused


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
