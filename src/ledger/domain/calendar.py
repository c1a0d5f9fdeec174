"""Dates as the contract counts them: Brussels days, months, working days, and the date rules R3 to R10.

Rules R1 (a date is the Brussels date of an instant), R2 (months) and R8 (working days) live here; R3 to R10
are functions of a start, a receipt, a posting, and the periods of the terms.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from ledger.domain.terms import Periods

BRUSSELS = ZoneInfo("Europe/Brussels")
ONE_DAY = timedelta(days=1)

_MONTHS_A_YEAR = 12
_SATURDAY = 5


def brussels_date(instant: datetime) -> date:
    """Return the Europe/Brussels date of an aware instant (R1)."""
    return instant.astimezone(BRUSSELS).date()


@lru_cache(maxsize=8192)
def brussels_midnight(day: date) -> datetime:
    """Return the instant, in UTC, at which a Brussels day begins (R12)."""
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
    """Return Easter Sunday of a Gregorian year (the anonymous algorithm of Meeus, Jones and Butcher)."""
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
    """Return Belgium's ten public holidays of a year (R8)."""
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
    """Return whether a day is Monday to Friday and no public holiday (R8)."""
    return day.weekday() < _SATURDAY and day not in public_holidays(day.year)


@lru_cache(maxsize=8192)
def roll_forward(day: date) -> date:
    """Return the first working day on or after a day."""
    while not is_working_day(day):
        day += ONE_DAY
    return day


@lru_cache(maxsize=8192)
def roll_back(day: date) -> date:
    """Return the last working day on or before a day."""
    while not is_working_day(day):
        day -= ONE_DAY
    return day


def add_working_days(day: date, count: int) -> date:
    """Return the `count`-th working day after a day, the day itself not counted (R9)."""
    for _ in range(count):
        day = roll_forward(day + ONE_DAY)
    return day


_FEWEST_DAYS_A_MONTH = 28


def term_start(starts_on: date, term: int, periods: Periods) -> date:
    """Return the first day of term k, always counted from S (R3)."""
    return add_months(starts_on, periods.term_months * (term - 1))


def term_end(starts_on: date, term: int, periods: Periods) -> date:
    """Return E of term k: the first day after it (R3)."""
    return term_start(starts_on, term + 1, periods)


def term_on(starts_on: date, day: date, periods: Periods) -> int | None:
    """Return the number of the term, or insurance year, that a day lies in; None before S (R3, D10)."""
    if day < starts_on:
        return None
    months = (day.year - starts_on.year) * 12 + day.month - starts_on.month
    # One term too many at most: the day may lie before its month's anniversary, or R2 moved the anniversary.
    term = months // periods.term_months + 1
    return term if term_start(starts_on, term, periods) <= day else term - 1


def notice_gate(starts_on: date, periods: Periods) -> date:
    """Return G, the first day on which notice can be deemed given; it does not recur (R4)."""
    return add_months(starts_on, periods.notice_gate_months)


def notice_deemed(starts_on: date, received_on: date, periods: Periods) -> date:
    """Return the day on which notice is deemed given: early notice waits for the gate (R4, Q6)."""
    return max(received_on, notice_gate(starts_on, periods))


def notice_ends(deemed_on: date, periods: Periods) -> date:
    """Return the first day without cover after a notice deemed given; it does not roll (R5)."""
    return add_months(deemed_on + ONE_DAY, periods.notice_months)


@lru_cache(maxsize=8192)
def last_timely_letter(ends_on: date, insurer_notice_months: int) -> date:
    """Return N, the last day N with add_months(N + 1 day, 3) on or before E (R6)."""
    # add_months never decreases: coming from too late a day, the first that fits is the last that does.
    following = ends_on - timedelta(days=_FEWEST_DAYS_A_MONTH * insurer_notice_months - 1)
    while add_months(following, insurer_notice_months) > ends_on:
        following -= ONE_DAY
    return following - ONE_DAY


def refund_raw_due(completed_on: date, periods: Periods) -> date:
    """Return the day a refund is due before rolling: so many days after the complete submission (R7, Q10)."""
    return completed_on + timedelta(days=periods.refund_days)


def acknowledgement_due(received_on: date, periods: Periods) -> date:
    """Return the day on which a complaint must be acknowledged, in working days (R9)."""
    return add_working_days(received_on, periods.acknowledgement_working_days)


def answer_raw_due(received_on: date, periods: Periods) -> date:
    """Return the day on which a complaint must be answered before rolling; receipt is not counted (R9)."""
    return add_months(received_on + ONE_DAY, periods.answer_months) - ONE_DAY


def opinion_raw_due(escalated_on: date, ombudsman_days: int) -> date:
    """Return the day on which the Ombudsman's opinion is due before rolling (R9)."""
    return escalated_on + timedelta(days=ombudsman_days)


def withdrawal_raw_last_day(starts_on: date, concluded_on: date, periods: Periods) -> date:
    """Return the last day of withdrawal before rolling, the day of conclusion or start not counted (R10)."""
    return max(starts_on, concluded_on) + timedelta(days=periods.withdrawal_days)
