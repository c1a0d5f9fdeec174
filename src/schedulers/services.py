"""What the time side runs within `up`: the diary's follower, and the sweep at each tick."""

from threading import Event as StopEvent
from typing import TYPE_CHECKING

from schedulers.clockwork import tick
from schedulers.diary.follower import NAME as DIARY
from schedulers.sweeping.background import sweep_to_the_present

if TYPE_CHECKING:
    from ledger.wiring import Wiring

TICK_SECONDS = 15.0
"""Between two looks at the diary. Nothing depends on it but how soon others are told (R12)."""


def keep_diary(wiring: "Wiring", stop: StopEvent) -> None:
    """Follow the feed for the diary until `stop` is set."""
    wiring.runner(DIARY).run(stop)


def keep_time(wiring: "Wiring", stop: StopEvent) -> None:
    """Sweep at every tick until `stop` is set."""
    tick(TICK_SECONDS, lambda: sweep_to_the_present(wiring, stop), stop)
