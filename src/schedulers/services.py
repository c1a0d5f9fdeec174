"""What the time side runs within `up`: the diary's follower, and the sweep at each tick."""

from threading import Event as StopEvent
from typing import TYPE_CHECKING

from schedulers.clocks import ClockWatch
from schedulers.clockwork import tick
from schedulers.diary.follower import NAME as DIARY
from schedulers.letters.follower import NAME as LETTERS
from schedulers.retention.follower import NAME as RETENTION
from schedulers.sweeping.background import seconds_to_the_next, sweep_to_the_present

if TYPE_CHECKING:
    from ledger.app import App

TICK_SECONDS = 15.0
"""Between two looks at the diary. Nothing depends on it but how soon others are told (R12)."""


def keep_diary(wiring: "App", stop: StopEvent) -> None:
    """Follow the feed for the diary, the letters and what is kept until when, until `stop` is set.

    Over one reading of it: what one of them cannot take, the others take all the same.
    """
    wiring.together(DIARY, LETTERS, RETENTION).run(stop)


def keep_letters(wiring: "App", stop: StopEvent) -> None:
    """Write and hand over letters until `stop` is set."""
    from schedulers.letters.keeping import keep_letters as keep  # noqa: PLC0415  # loaded when it runs

    keep(wiring, stop)


def keep_digest(wiring: "App", stop: StopEvent) -> None:
    """Send the back office its daily digest until `stop` is set."""
    from schedulers.digest.sending import keep_digest as keep  # noqa: PLC0415  # loaded when it runs

    keep(wiring, stop)


def keep_operator_told(wiring: "App", stop: StopEvent) -> None:
    """Mail the operator what needs a person until `stop` is set."""
    from schedulers.operator_mail import keep_operator_told as keep  # noqa: PLC0415  # loaded when it runs

    keep(wiring, stop)


def keep_time(wiring: "App", stop: StopEvent) -> None:
    """Sweep at every tick, and when the next thing falls due, until `stop` is set.

    What was missed while it could not is done at the first tick after.
    """
    watch = ClockWatch(wiring)

    def act() -> None:
        watch.look()
        sweep_to_the_present(wiring, stop)

    tick(TICK_SECONDS, act, stop, wake_in=lambda: seconds_to_the_next(wiring))
