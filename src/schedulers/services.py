"""The diary and the ticker, as they run within `up`."""

from threading import Event as StopEvent
from typing import TYPE_CHECKING

from schedulers.agenda import NAME as DIARY
from schedulers.letters.queries import NAME as LETTERS
from schedulers.retention import NAME as RETENTION
from schedulers.sweep import seconds_to_the_next, sweep_to_the_present
from schedulers.ticker import ClockWatch, tick

if TYPE_CHECKING:
    from ledger.app import App

TICK_SECONDS = 15.0
"""Between two looks at the diary. Nothing depends on it but how soon others are told (R12)."""


def keep_diary(wiring: "App", stop: StopEvent) -> None:
    """Follow the feed for the diary, the letters and what is kept until when, until `stop` is set.

    Over one reading of it: what one of them cannot take, the others take all the same.
    """
    wiring.together(DIARY, LETTERS, RETENTION).run(stop)


def keep_time(wiring: "App", stop: StopEvent) -> None:
    """Sweep at every tick, and when the next thing falls due, until `stop` is set.

    What was missed while it could not is done at the first tick after.
    """
    watch = ClockWatch(wiring)

    def act() -> None:
        watch.look()
        sweep_to_the_present(wiring, stop)

    tick(TICK_SECONDS, act, stop, wake_in=lambda: seconds_to_the_next(wiring))
