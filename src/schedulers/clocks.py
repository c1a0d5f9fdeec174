"""The clocks compared at each tick: the database's, by which time acts, with the machine's, which only ticks.

Nothing depends on the machine's clock. But two clocks that part mean that one of them is wrong, and if it is
the database's, deadlines take effect too early or too late for good: that is an alarm, and people decide.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from ledger.clock import machine_now

if TYPE_CHECKING:
    from ledger.app import App

MOST_SECONDS_APART = 2.0
"""Between the machine's clock and the database's."""
MOST_SECONDS_LEAPT = 60.0
"""By which the database's clock may run ahead of the time that has gone by since the last look."""
AGAIN_SECONDS = 3600.0
"""After which an alarm that still holds is given again."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """Both clocks at one moment."""

    database: datetime
    """UTC."""
    apart_seconds: float
    """How far the machine's clock is ahead of the database's; negative: behind."""
    elapsed: float
    """The monotonic clock, which nobody sets, in seconds."""

    @property
    def agrees(self) -> bool:
        """Say whether the two clocks are near enough."""
        return abs(self.apart_seconds) <= MOST_SECONDS_APART

    def leap_seconds(self, before: "Look") -> float:
        """Say by how much the database's clock moved more than time went by since an earlier look."""
        return (self.database - before.database).total_seconds() - (self.elapsed - before.elapsed)


def look_at(wiring: "App") -> Look:
    """Read both clocks; the machine's in the middle of the question to the database."""
    before = machine_now()
    database = wiring.now()
    half = (machine_now() - before) / 2
    apart = (before + half - database) / timedelta(seconds=1)
    # An answer that took long says that much less of when it was given.
    unknown = half / timedelta(seconds=1)
    return Look(database, math.copysign(max(0.0, abs(apart) - unknown), apart), monotonic())


class ClockWatch:
    """Looks at the clocks again and again, and raises an alarm in the log when they part or leap."""

    def __init__(self, wiring: "App") -> None:
        """Watch for one book's database."""
        self._wiring = wiring
        self._last: Look | None = None
        self._alarmed_at: float | None = None

    def look(self) -> Look:
        """Compare the clocks now; an alarm is one line in the log, again each hour while it holds."""
        seen, last = look_at(self._wiring), self._last
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
