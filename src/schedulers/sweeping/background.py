"""The sweep in the background: as far as the book's clock lets time act, and not at all while it is held."""

from threading import Event as StopEvent
from typing import TYPE_CHECKING

from ledger.clock import acts_until
from ledger.store.errors import ImportOpen
from schedulers.diary.queries import next_after
from schedulers.sweeping.sweep import sweep

if TYPE_CHECKING:
    from ledger.app import App


def sweep_to_the_present(wiring: "App", stop: StopEvent | None = None) -> int:
    """Let time act up to the book's present; number of events recorded, 0 while time waits.

    Time waits while an import is open, and where an import left the book in the past, until somebody lives
    in it again.
    """
    until = acts_until(wiring.book_row(), wiring.now())
    if until is None:
        return 0
    try:
        return sweep(wiring, until, stop=stop)
    except ImportOpen:
        # An import began meanwhile: it holds the clock, and the next tick finds it.
        return 0


def seconds_to_the_next(wiring: "App") -> float | None:
    """Give in how many seconds, by the database's clock, time will next owe something; None while it waits.

    A simulated book stands still, and so is never waited for.
    """
    book, now = wiring.book_row(), wiring.now()
    if book.kind == "simulated" or acts_until(book, now) is None:
        return None
    with wiring.pool.connection() as connection:
        instant = next_after(connection, wiring.book, now)
    return None if instant is None else (instant - now).total_seconds()
