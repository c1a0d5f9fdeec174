"""A month as a calendar: weeks from Monday, with the days around that fill them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, TypeVar

Item = TypeVar("Item")

DAYS_OF_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class CalendarDay(Generic[Item]):
    """One day and what stands on it."""

    day: date
    is_of_the_month: bool
    items: Sequence[Item]


def weeks_of(month: date, items: Mapping[date, Sequence[Item]]) -> Sequence[Sequence[CalendarDay[Item]]]:
    """Give the weeks that a month touches; `month` is any day in it."""
    first = month.replace(day=1)
    start = first - timedelta(days=first.weekday())
    weeks: list[list[CalendarDay[Item]]] = []
    while not weeks or start < next_month(first):
        days = (start + timedelta(days=number) for number in range(DAYS_OF_A_WEEK))
        weeks.append([CalendarDay(day, day.month == first.month, items.get(day, ())) for day in days])
        start += timedelta(days=DAYS_OF_A_WEEK)
    return weeks


def next_month(month: date) -> date:
    """Give the first day of the month after."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_before(month: date) -> date:
    """Give the first day of the month before."""
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)
