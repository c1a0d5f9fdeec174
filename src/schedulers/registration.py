"""What the time side registers with the ledger's program: followers, services, sweep and erasure."""

from datetime import datetime
from threading import Event as StopEvent
from typing import TYPE_CHECKING

from schedulers.agenda import NAME as DIARY
from schedulers.agenda import Agenda
from schedulers.letters.queries import NAME as LETTERS
from schedulers.letters.triggers import Letters
from schedulers.retention import NAME as RETENTION
from schedulers.retention import Retention
from schedulers.sweep import seconds_to_the_next, sweep, sweep_to_the_present

if TYPE_CHECKING:
    from ledger.app import App


def diary(wiring: "App") -> Agenda:
    """Return the follower that keeps the diary of a book (group `coverledger.followers`)."""
    return Agenda(wiring.book)


def retention(wiring: "App") -> Retention:
    """Return the follower that notes until when records are kept (group `coverledger.followers`)."""
    return Retention(wiring.book)


def letters(wiring: "App") -> Letters:
    """Return the follower that wants and notes the letters of a book (group `coverledger.followers`)."""
    return Letters(wiring.book)


def erase_letters(wiring: "App") -> int:
    """Remove the letters to persons who were erased; how many (group `coverledger.erasures`)."""
    from schedulers.letters.worker import erase_letters as erase  # noqa: PLC0415  # loaded when it runs

    return erase(wiring)


def sweep_until(wiring: "App", until: datetime) -> int:
    """Let time act up to an instant, inclusive; events recorded (group `coverledger.sweeps`)."""
    return sweep(wiring, until)


TICK_SECONDS = 15.0
"""Between two looks at the diary. Nothing depends on it but how soon others are told (R12)."""


def keep_diary(wiring: "App", stop: StopEvent) -> None:
    """Follow the feed for the diary, the letters and what is kept until when, until `stop` is set.

    Over one reading of it: what one of them cannot take, the others take all the same.
    """
    wiring.together(DIARY, LETTERS, RETENTION).run(stop)


def keep_letters(wiring: "App", stop: StopEvent) -> None:
    """Write and hand over letters until `stop` is set."""
    from schedulers.letters.worker import keep_letters as keep  # noqa: PLC0415  # loaded when it runs

    keep(wiring, stop)


def keep_digest(wiring: "App", stop: StopEvent) -> None:
    """Send the back office its daily digest until `stop` is set."""
    from schedulers.digest import keep_digest as keep  # noqa: PLC0415  # loaded when it runs

    keep(wiring, stop)


def keep_operator_told(wiring: "App", stop: StopEvent) -> None:
    """Mail the operator what needs a person until `stop` is set."""
    from schedulers.mail import keep_operator_told as keep  # noqa: PLC0415  # loaded when it runs

    keep(wiring, stop)


def keep_time(wiring: "App", stop: StopEvent) -> None:
    """Sweep at every tick, and when the next thing falls due, until `stop` is set.

    What was missed while it could not is done at the first tick after.
    """
    from schedulers.ticker import ClockWatch, tick  # noqa: PLC0415  # loaded when it runs

    watch = ClockWatch(wiring)

    def act() -> None:
        watch.look()
        sweep_to_the_present(wiring, stop)

    tick(TICK_SECONDS, act, stop, wake_in=lambda: seconds_to_the_next(wiring))
