"""Dates as the contract counts them: Brussels days, months from a day to the eve of its number, working days.

Rules R1 (a date is the Brussels date of an instant), R2 (months) and R8 (working days) live here.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")
ONE_DAY = timedelta(days=1)

_MONTHS_A_YEAR = 12
_SATURDAY = 5


def brussels_date(instant: datetime) -> date:
    """Give the Europe/Brussels date of an aware instant (R1)."""
    return instant.astimezone(BRUSSELS).date()


@lru_cache(maxsize=8192)
def brussels_midnight(day: date) -> datetime:
    """Give the instant, in UTC, at which a Brussels day begins (R12)."""
    return datetime.combine(day, time(), BRUSSELS).astimezone(UTC)


@lru_cache(maxsize=8192)
def add_months(day: date, months: int) -> date:
    """Count months from a day: the same day number, or the 1st of the month after where it has none (R2)."""
    year, month0 = divmod(day.year * _MONTHS_A_YEAR + day.month - 1 + months, _MONTHS_A_YEAR)
    try:
        return date(year, month0 + 1, day.day)
    except ValueError:
        # From the day to the eve of its number: the end is the first day no longer covered.
        year, month0 = divmod(year * _MONTHS_A_YEAR + month0 + 1, _MONTHS_A_YEAR)
        return date(year, month0 + 1, 1)


def easter(year: int) -> date:
    """Give Easter Sunday of a Gregorian year (the anonymous algorithm of Meeus, Jones and Butcher)."""
    century, of_century = divmod(year, 100)
    golden = year % 19
    skipped, left = divmod(century, 4)
    moon = (19 * golden + century - skipped - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * left + 2 * (of_century // 4) - moon - of_century % 4) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day0 = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day0 + 1)


@lru_cache(maxsize=512)
def public_holidays(year: int) -> frozenset[date]:
    """Give Belgium's ten public holidays of a year (R8)."""
    sunday = easter(year)
    return frozenset(
        {
            date(year, 1, 1),
            sunday + timedelta(days=1),  # Easter Monday
            date(year, 5, 1),
            sunday + timedelta(days=39),  # Ascension
            sunday + timedelta(days=50),  # Whit Monday
            date(year, 7, 21),
            date(year, 8, 15),
            date(year, 11, 1),
            date(year, 11, 11),
            date(year, 12, 25),
        }
    )


def is_working_day(day: date) -> bool:
    """Say whether a day is Monday to Friday and no public holiday (R8)."""
    return day.weekday() < _SATURDAY and day not in public_holidays(day.year)


@lru_cache(maxsize=8192)
def roll_forward(day: date) -> date:
    """Give the first working day on or after a day."""
    while not is_working_day(day):
        day += ONE_DAY
    return day


@lru_cache(maxsize=8192)
def roll_back(day: date) -> date:
    """Give the last working day on or before a day."""
    while not is_working_day(day):
        day -= ONE_DAY
    return day


def add_working_days(day: date, count: int) -> date:
    """Give the `count`-th working day after a day, the day itself not counted (R9)."""
    for _ in range(count):
        day = roll_forward(day + ONE_DAY)
    return day
