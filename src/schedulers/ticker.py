"""The ticker, and the clocks that it compares: the database's, by which time acts, and the machine's.

Nothing depends on the machine's clock. But two clocks that part mean that one of them is wrong, and if it is
the database's, deadlines take effect too early or too late for good: that is an alarm, and people decide.
"""

import logging
import math
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event as StopEvent
from time import monotonic
from typing import TYPE_CHECKING

import structlog
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]  # ships none

from ledger.clock import machine_now
from ledger.supervision import moved, will_rest

if TYPE_CHECKING:
    from ledger.app import App

# It logs each tick that comes while the last one still runs: here that is as it should be.
logging.getLogger("apscheduler").setLevel(logging.CRITICAL)

LOOK_SECONDS = 0.5
"""Between two looks at whether to stop, or to wake the ticker."""

SHORTEST_SECONDS = 0.05
"""Between the end of a tick and one that was woken early."""


def _never() -> None:
    """Wake for nothing before the next tick."""


def tick(
    every_seconds: float,
    what: Callable[[], object],
    stop: StopEvent,
    *,
    wake_in: Callable[[], float | None] = _never,
) -> None:
    """Do something at once and then every so many seconds, one run at a time, until `stop` is set.

    `wake_in` is asked after each tick in how many seconds the next one is needed; None, or later than the
    regular one, changes nothing. A tick that comes while the last one still runs is left out. Whatever is
    done to the machine's clock meanwhile, no tick comes more than a second late: its pauses are measured as
    durations. Raises what a tick raises: the ticking ends. Within a service it shows that it moves by its
    ticks, and that it rests between them.
    """
    service = copy_context()
    failures: list[Exception] = []
    early: list[float | None] = []
    ticked = StopEvent()

    def once() -> None:
        if failures or stop.is_set():
            return
        try:
            moved()
            what()
            early.append(wake_in())
            will_rest(every_seconds)
        except Exception as error:  # noqa: BLE001  # raised below, in the thread that ticks
            failures.append(error)
        ticked.set()

    scheduler = BackgroundScheduler(timezone="UTC")
    job = scheduler.add_job(
        lambda: service.run(once),
        "interval",
        seconds=every_seconds,
        next_run_time=machine_now(),
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
    )
    scheduler.start()
    try:
        expected = monotonic() + every_seconds
        while not stop.is_set() and not failures:
            pause: float | None = None
            if ticked.wait(min(every_seconds, LOOK_SECONDS)):
                ticked.clear()
                pause = _pause(every_seconds, early)
                expected = monotonic() + (every_seconds if pause is None else pause)
            elif monotonic() > expected + LOOK_SECONDS:
                # The ticker reads the machine's clock: set back, it would sleep for as long.
                pause, expected = 0.0, monotonic() + every_seconds
            if pause is not None and not failures:
                job.modify(next_run_time=machine_now() + timedelta(seconds=pause))
    finally:
        scheduler.shutdown(wait=True)
    if failures:
        raise failures[0]


def _pause(every_seconds: float, early: list[float | None]) -> float | None:
    """Return after how many seconds the ticker is to be woken; None: it comes by itself early enough."""
    wanted = early.pop() if early else None
    early.clear()
    if wanted is None or wanted >= every_seconds:
        return None
    return max(wanted, SHORTEST_SECONDS)


MOST_SECONDS_APART = 2.0
"""Between the machine's clock and the database's."""
MOST_SECONDS_LEAPT = 60.0
"""By which the database's clock may run ahead of the time that has gone by since the last look."""
AGAIN_SECONDS = 3600.0
"""After which an alarm that still holds is given again."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Both clocks at one moment."""

    database: datetime
    """UTC."""
    apart_seconds: float
    """How far the machine's clock is ahead of the database's; negative: behind."""
    elapsed: float
    """The monotonic clock, which nobody sets, in seconds."""

    @property
    def agrees(self) -> bool:
        """Whether the two clocks are near enough."""
        return abs(self.apart_seconds) <= MOST_SECONDS_APART

    def leap_seconds(self, before: "ClockReading") -> float:
        """Return by how much the database's clock moved more than time went by since an earlier look."""
        return (self.database - before.database).total_seconds() - (self.elapsed - before.elapsed)


def read_clocks(wiring: "App") -> ClockReading:
    """Read both clocks; the machine's in the middle of the question to the database."""
    before = machine_now()
    database = wiring.now()
    half = (machine_now() - before) / 2
    apart = (before + half - database) / timedelta(seconds=1)
    # An answer that took long says that much less of when it was given.
    unknown = half / timedelta(seconds=1)
    return ClockReading(database, math.copysign(max(0.0, abs(apart) - unknown), apart), monotonic())


class ClockWatch:
    """Looks at the clocks again and again, and raises an alarm in the log when they part or leap."""

    def __init__(self, wiring: "App") -> None:
        """Watch for one book's database."""
        self._wiring = wiring
        self._last: ClockReading | None = None
        self._alarmed_at: float | None = None

    def look(self) -> ClockReading:
        """Compare the clocks now; an alarm is one line in the log, again each hour while it holds."""
        seen, last = read_clocks(self._wiring), self._last
        self._last = seen
        if last is not None:
            self._tell_leap(seen.leap_seconds(last))
        if seen.agrees:
            if self._alarmed_at is not None:
                _log.warning("clocks_agree_again", book=self._wiring.book)
            self._alarmed_at = None
        elif self._alarmed_at is None or seen.elapsed - self._alarmed_at >= AGAIN_SECONDS:
            self._alarmed_at = seen.elapsed
            _log.error(
                "clocks_apart",
                book=self._wiring.book,
                machine_ahead_seconds=round(seen.apart_seconds, 3),
                do="set both clocks by NTP; time acts by the database's",
            )
        return seen

    def _tell_leap(self, leap_seconds: float) -> None:
        if leap_seconds < -MOST_SECONDS_APART:
            _log.error(
                "database_clock_went_back",
                book=self._wiring.book,
                seconds=round(-leap_seconds, 3),
                do="nothing acts twice, but what is due next comes that much later: set it by NTP",
            )
        elif leap_seconds > MOST_SECONDS_LEAPT:
            _log.error(
                "database_clock_leapt_ahead",
                book=self._wiring.book,
                seconds=round(leap_seconds, 3),
                do="deadlines up to its time have taken effect: see `coverledger due --status missed`",
            )
