"""What the time side registers with the ledger's program through entry points."""

from datetime import datetime
from typing import TYPE_CHECKING

from schedulers.diary.follower import Diary
from schedulers.sweeping.sweep import sweep

if TYPE_CHECKING:
    from ledger.wiring import Wiring


def diary(wiring: "Wiring") -> Diary:
    """Give the follower that keeps the diary of a book (group `claims_ledger.followers`)."""
    return Diary(wiring.book)


def sweep_until(wiring: "Wiring", until: datetime) -> int:
    """Let time act up to an instant, inclusive; events recorded (group `claims_ledger.sweeps`)."""
    return sweep(wiring, until)
