"""What the time side registers with the ledger's program through entry points."""

from datetime import datetime
from typing import TYPE_CHECKING

from schedulers.diary.follower import Diary
from schedulers.letters.follower import Letters
from schedulers.retention.follower import Retention
from schedulers.sweeping.sweep import sweep

if TYPE_CHECKING:
    from ledger.app import App


def diary(wiring: "App") -> Diary:
    """Give the follower that keeps the diary of a book (group `coverledger.followers`)."""
    return Diary(wiring.book)


def retention(wiring: "App") -> Retention:
    """Give the follower that notes until when records are kept (group `coverledger.followers`)."""
    return Retention(wiring.book)


def letters(wiring: "App") -> Letters:
    """Give the follower that wants and notes the letters of a book (group `coverledger.followers`)."""
    return Letters(wiring.book)


def erase_letters(wiring: "App") -> int:
    """Remove the letters to persons who were erased; how many (group `coverledger.erasures`)."""
    from schedulers.letters.erasing import erase_letters as erase  # noqa: PLC0415  # loaded when it runs

    return erase(wiring)


def sweep_until(wiring: "App", until: datetime) -> int:
    """Let time act up to an instant, inclusive; events recorded (group `coverledger.sweeps`)."""
    return sweep(wiring, until)
