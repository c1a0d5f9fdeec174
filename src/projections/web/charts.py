"""Charts: limits as bars, figures as columns, months as calendars, a contract's life as a timeline.

All are plain figures: where each stroke lies. Templates turn them into SVG; no script is needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, floor, log10
from typing import Generic, Literal, TypeVar


def steps(highest: int, wanted: int = 4) -> Sequence[float]:
    """Return round figures from 0 to at least `highest`, about `wanted` of them beside 0."""
    if highest <= 0:
        return (0, 1)
    rough = highest / wanted
    magnitude = 10.0 ** floor(log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough)
    if highest <= wanted:
        step = max(1, ceil(step))
    return tuple(round(step * number, 6) for number in range(ceil(highest / step) + 1))


LENGTH = 1000
"""Length of a full bar, in the drawing's own units."""
NARROWEST = 6
"""A part that holds something is never drawn narrower."""

Kind = Literal["consumed", "reserved"]


@dataclass(frozen=True, slots=True)
class Part:
    """What one claim holds of a limit: cents, or claims."""

    claim: str
    kind: Kind
    amount: int
    position: int
    """Of the newest event that made it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of a bar."""

    part: Part
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A whole bar; what no segment covers is left."""

    limit: int
    segments: Sequence[Segment]

    @property
    def used(self) -> int:
        """What is consumed and reserved together."""
        return sum(segment.part.amount for segment in self.segments)

    @property
    def left(self) -> int:
        """What remains of the limit."""
        return self.limit - self.used


def bar(limit: int, parts: Sequence[Part]) -> Bar:
    """Draw a limit with its parts, in order. Parts of nothing are not drawn."""
    segments: list[Segment] = []
    x = 0
    for part in parts:
        if part.amount <= 0:
            continue
        width = max(NARROWEST, round(LENGTH * part.amount / limit)) if limit else LENGTH
        width = min(width, LENGTH - x)
        segments.append(Segment(part, x, width))
        x += width
    return Bar(limit, segments)


WIDTH = 720
HEIGHT = 260
LEFT = 78
RIGHT = 10
TOP = 12
BOTTOM = 34
MOST_LABELS = 12


@dataclass(frozen=True, slots=True)
class Layer:
    """One series of figures, one a category."""

    name: str
    """Its name for the reader."""
    look: str
    """Name of its style: `consumed`, `reserved`, `late`."""
    figures: Sequence[int]


@dataclass(frozen=True, slots=True)
class ChartColumn:
    """One rectangle."""

    x: float
    y: float
    width: float
    height: float
    look: str
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure on an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Columns:
    """A whole drawing."""

    columns: Sequence[ChartColumn]
    across: Sequence[Mark]
    up: Sequence[Mark]
    line_at: float | None
    """Where a promised bound crosses, if there is one."""
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM


def columns(
    categories: Sequence[str],
    layers: Sequence[Layer],
    written: "Written",
    *,
    bound_after: int | None = None,
) -> Columns:
    """Draw layers on top of each other. `bound_after`: the category after which a bound is crossed."""
    totals = [sum(layer.figures[place] for layer in layers) for place in range(len(categories))]
    up = steps(max(totals, default=0))
    base, room = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    step = (WIDTH - LEFT - RIGHT) / max(1, len(categories))
    width = round(step * 0.7, 2)
    drawn = []
    for place, category in enumerate(categories):
        y = float(base)
        for layer in layers:
            figure = layer.figures[place]
            if figure <= 0:
                continue
            height = round(room * figure / up[-1], 2)
            y -= height
            title = f"{category}: {written(figure)}" + (f" ({layer.name})" if len(layers) > 1 else "")
            x = round(LEFT + step * place + (step - width) / 2, 2)
            drawn.append(ChartColumn(x, round(y, 2), width, height, layer.look, title))
    every = -(-len(categories) // MOST_LABELS) or 1
    across = [
        Mark(round(LEFT + step * (place + 0.5), 2), category)
        for place, category in enumerate(categories)
        if place % every == 0
    ]
    return Columns(
        drawn,
        across,
        [Mark(round(base - room * figure / up[-1], 2), written(figure)) for figure in up],
        None if bound_after is None else round(LEFT + step * (bound_after + 1), 2),
    )


class Written:
    """How a figure is written on the axis and at its column."""

    def __call__(self, figure: float) -> str:
        """Write it."""
        return f"{figure:g}"


Item = TypeVar("Item")

DAYS_OF_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class CalendarDay(Generic[Item]):
    """One day and what stands on it."""

    day: date
    is_of_the_month: bool
    items: Sequence[Item]


def weeks_of(month: date, items: Mapping[date, Sequence[Item]]) -> Sequence[Sequence[CalendarDay[Item]]]:
    """Return the weeks that a month touches; `month` is any day in it."""
    first = month.replace(day=1)
    start = first - timedelta(days=first.weekday())
    weeks: list[list[CalendarDay[Item]]] = []
    while not weeks or start < next_month(first):
        days = (start + timedelta(days=number) for number in range(DAYS_OF_A_WEEK))
        weeks.append([CalendarDay(day, day.month == first.month, items.get(day, ())) for day in days])
        start += timedelta(days=DAYS_OF_A_WEEK)
    return weeks


def next_month(month: date) -> date:
    """Return the first day of the month after."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_before(month: date) -> date:
    """Return the first day of the month before."""
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)


TIMELINE_WIDTH = 1000
TIMELINE_HEIGHT = 132
TIMELINE_LEFT = 18
TIMELINE_RIGHT = 18
COUNTS_AT = 44
KNOWN_AT = 98
FURTHEST_YEARS = 12


@dataclass(frozen=True, slots=True)
class TimelineMoment:
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

    moment: TimelineMoment
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
class TimelineChart:
    """A whole drawing."""

    dots: Sequence[Dot]
    years: Sequence[Year]
    ticks: Sequence[Tick]
    today_x: float | None
    width: int = TIMELINE_WIDTH
    height: int = TIMELINE_HEIGHT
    counts_at: int = COUNTS_AT
    known_at: int = KNOWN_AT


def timeline(
    moments: Sequence[TimelineMoment], insurance_years: Sequence[tuple[int, date, date]], today: date
) -> TimelineChart:
    """Draw events and insurance years (number, first day, first day after), first date to last."""
    dates = [day for moment in moments for day in (moment.counts_on, moment.known_on)]
    dates += [day for _, begins, ends in insurance_years for day in (begins, ends)]
    first, last = min(dates, default=today), max(dates, default=today)
    days = max(1, (last - first).days)

    def x(day: date) -> float:
        return round(
            TIMELINE_LEFT + (TIMELINE_WIDTH - TIMELINE_LEFT - TIMELINE_RIGHT) * (day - first).days / days, 1
        )

    return TimelineChart(
        [Dot(moment, x(moment.counts_on), x(moment.known_on)) for moment in moments],
        [Year(x(begins), round(x(ends) - x(begins), 1), number) for number, begins, ends in insurance_years],
        [
            Tick(x(day), str(day.year))
            for day in (date(year, 1, 1) for year in range(first.year, last.year + 2))
            if first <= day <= last
        ],
        x(today) if first <= today <= last else None,
    )
