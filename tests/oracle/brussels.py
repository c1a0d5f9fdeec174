"""The date rules, read a second time (R1, R2, R5 to R10). Plain functions over dates."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")
DAY = timedelta(days=1)


def brussels_date(instant: datetime) -> date:
    """R1: a date is the Brussels date of the instant."""
    return instant.astimezone(BRUSSELS).date()


def midnight(day: date) -> datetime:
    """R12: 00:00 Brussels time of that date, as an instant in UTC."""
    return datetime.combine(day, time(), BRUSSELS).astimezone(UTC)


def add_months(day: date, months: int) -> date:
    """R2: the same day number, or the 1st of the month after where there is none."""
    index = day.year * 12 + (day.month - 1) + months
    try:
        return date(index // 12, index % 12 + 1, day.day)
    except ValueError:
        index += 1
        return date(index // 12, index % 12 + 1, 1)


@cache
def holidays(year: int) -> frozenset[date]:
    """R8: Belgium's ten public holidays."""
    easter = easter_sunday(year)
    fixed = [(1, 1), (5, 1), (7, 21), (8, 15), (11, 1), (11, 11), (12, 25)]
    moving = [easter + timedelta(days=after) for after in (1, 39, 50)]
    return frozenset([date(year, month, day) for month, day in fixed] + moving)


def easter_sunday(year: int) -> date:
    """Western Easter: the Sunday after the ecclesiastical full moon (Gauss, Lichtenberg)."""
    century = year // 100
    moon = 15 + (3 * century + 3) // 4 - (8 * century + 13) // 25
    sun = 2 - (3 * century + 3) // 4
    seed = (19 * (year % 19) + moon) % 30
    correction = (seed + (year % 19) // 11) // 29
    full_moon = 21 + seed - correction
    first_sunday = 7 - (year + year // 4 + sun) % 7
    return date(year, 3, 1) + timedelta(days=full_moon + 7 - (full_moon - first_sunday) % 7 - 1)


def is_working_day(day: date) -> bool:
    """R8: Monday to Friday less the public holidays."""
    return day.weekday() < 5 and day not in holidays(day.year)


def roll_forward(day: date) -> date:
    while not is_working_day(day):
        day += DAY
    return day


def roll_back(day: date) -> date:
    while not is_working_day(day):
        day -= DAY
    return day


def add_working_days(day: date, count: int) -> date:
    """R9: the day of receipt is not counted."""
    while count:
        day += DAY
        count -= is_working_day(day)
    return day


def term_end(start: date, term: int) -> date:
    """R3: every E is counted from S."""
    return add_months(start, 12 * term)


def term_of(start: date, day: date) -> int:
    """R3: the number of the term that holds the day; 0 or less before S."""
    term = day.year - start.year - 1
    while term_end(start, term) <= day:
        term += 1
    return term


def notice_gate(start: date) -> date:
    """R4: G."""
    return add_months(start, 6)


def notice_end(start: date, received: date) -> date:
    """R4, R5: the first day without cover of a notice."""
    deemed = max(received, notice_gate(start))
    return add_months(deemed + DAY, 1)


def last_timely_posting(end: date) -> date:
    """R6: the last day N with add_months(N + 1 day, 3) <= E."""
    day = end - 70 * DAY
    while add_months(day + DAY, 3) > end:
        day -= DAY
    return day


def refund_raw(completed: date) -> date:
    """R7."""
    return completed + 15 * DAY


def answer_raw(received: date) -> date:
    """R9: the day before add_months(received + 1 day, 1)."""
    return add_months(received + DAY, 1) - DAY


def withdrawal_raw(concluded: date, start: date) -> date:
    """R10: 14 days counted from the day after the later of conclusion and start."""
    return max(concluded, start) + 14 * DAY
