"""What the time side runs within `up`: the diary's follower, and the sweep at each tick."""

from collections.abc import Callable
from threading import Event as StopEvent
from typing import TYPE_CHECKING

import structlog

from ledger.store.errors import OutcomeUnknown
from ledger.store.patience import is_transient
from schedulers.clocks import ClockWatch
from schedulers.clockwork import tick
from schedulers.diary.follower import NAME as DIARY
from schedulers.sweeping.background import seconds_to_the_next, sweep_to_the_present

if TYPE_CHECKING:
    from ledger.wiring import Wiring

TICK_SECONDS = 15.0
"""Between two looks at the diary. Nothing depends on it but how soon others are told (R12)."""

AGAIN_SECONDS = 1.0
"""After a tick that the database was away for."""

_log = structlog.get_logger(__name__)


def keep_diary(wiring: "Wiring", stop: StopEvent) -> None:
    """Follow the feed for the diary until `stop` is set."""
    wiring.runner(DIARY).run(stop)


def keep_time(wiring: "Wiring", stop: StopEvent) -> None:
    """Sweep at every tick, and when the next thing falls due, until `stop` is set.

    A database that goes away is waited for: what it missed is done at the first tick after.
    """
    watch = ClockWatch(wiring)

    def act() -> None:
        watch.look()
        sweep_to_the_present(wiring, stop)

    patiently(act, stop, every_seconds=TICK_SECONDS, wake_in=lambda: seconds_to_the_next(wiring))


def patiently(
    act: Callable[[], object],
    stop: StopEvent,
    *,
    every_seconds: float,
    wake_in: Callable[[], float | None] = lambda: None,
) -> None:
    """Tick, and after a tick that failed for what passes by itself tick again soon."""
    was_away = False

    def once() -> None:
        nonlocal was_away
        try:
            act()
        except Exception as error:
            if not (is_transient(error) or isinstance(error, OutcomeUnknown)):
                raise
            was_away = True
            _log.warning("tick_delayed", error=" ".join(str(error).split()))
        else:
            was_away = False

    def soon() -> float | None:
        if was_away:
            return AGAIN_SECONDS
        try:
            return wake_in()
        except Exception as error:
            if not is_transient(error):
                raise
            return AGAIN_SECONDS

    tick(every_seconds, once, stop, wake_in=soon)
