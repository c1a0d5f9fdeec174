"""A contract's life in both times: above when each event counts, below when it became known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH = 1000
HEIGHT = 132
LEFT = 18
RIGHT = 18
COUNTS_AT = 44
KNOWN_AT = 98
FURTHEST_YEARS = 12


@dataclass(frozen=True, slots=True)
class Moment:
    """One event with both of its dates."""

    position: int
    counts_on: date
    known_on: date
    look: str
    """Name of its style, by the kind of stream."""
    title: str


@dataclass(frozen=True, slots=True)
class Dot:
    """An event, drawn: above, below, and the line between."""

    moment: Moment
    counts_x: float
    known_x: float


@dataclass(frozen=True, slots=True)
class Year:
    """A stretch of cover: one insurance year."""

    x: float
    width: float
    number: int


@dataclass(frozen=True, slots=True)
class Tick:
    """The first day of a year."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A whole drawing."""

    dots: Sequence[Dot]
    years: Sequence[Year]
    ticks: Sequence[Tick]
    today_x: float | None
    width: int = WIDTH
    height: int = HEIGHT
    counts_at: int = COUNTS_AT
    known_at: int = KNOWN_AT


def timeline(
    moments: Sequence[Moment], insurance_years: Sequence[tuple[int, date, date]], today: date
) -> Timeline:
    """Draw events and insurance years (number, first day, first day after), first date to last."""
    dates = [day for moment in moments for day in (moment.counts_on, moment.known_on)]
    dates += [day for _, begins, ends in insurance_years for day in (begins, ends)]
    first, last = min(dates, default=today), max(dates, default=today)
    days = max(1, (last - first).days)

    def x(day: date) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (day - first).days / days, 1)

    return Timeline(
        [Dot(moment, x(moment.counts_on), x(moment.known_on)) for moment in moments],
        [Year(x(begins), round(x(ends) - x(begins), 1), number) for number, begins, ends in insurance_years],
        [
            Tick(x(day), str(day.year))
            for day in (date(year, 1, 1) for year in range(first.year, last.year + 2))
            if first <= day <= last
        ],
        x(today) if first <= today <= last else None,
    )
