"""The date rules R3 to R10 as functions of a start, a receipt, a posting, and the periods of the terms."""

from datetime import date, timedelta
from functools import lru_cache

from ledger.domain.calendar import ONE_DAY, add_months, add_working_days
from ledger.domain.terms.model import Periods

_FEWEST_DAYS_A_MONTH = 28


def term_start(starts_on: date, term: int, periods: Periods) -> date:
    """Give the first day of term k, always counted from S (R3)."""
    return add_months(starts_on, periods.term_months * (term - 1))


def term_end(starts_on: date, term: int, periods: Periods) -> date:
    """Give E of term k: the first day after it (R3)."""
    return term_start(starts_on, term + 1, periods)


def term_on(starts_on: date, day: date, periods: Periods) -> int | None:
    """Give the number of the term, or insurance year, that a day lies in; None before S (R3, D10)."""
    if day < starts_on:
        return None
    months = (day.year - starts_on.year) * 12 + day.month - starts_on.month
    # One term too many at most: the day may lie before its month's anniversary, or R2 moved the anniversary.
    term = months // periods.term_months + 1
    return term if term_start(starts_on, term, periods) <= day else term - 1


def notice_gate(starts_on: date, periods: Periods) -> date:
    """Give G, the first day on which notice can be deemed given; it does not recur (R4)."""
    return add_months(starts_on, periods.notice_gate_months)


def notice_deemed(starts_on: date, received_on: date, periods: Periods) -> date:
    """Give the day on which notice is deemed given: early notice waits for the gate (R4, Q6)."""
    return max(received_on, notice_gate(starts_on, periods))


def notice_ends(deemed_on: date, periods: Periods) -> date:
    """Give the first day without cover after a notice deemed given; it does not roll (R5)."""
    return add_months(deemed_on + ONE_DAY, periods.notice_months)


@lru_cache(maxsize=8192)
def last_timely_letter(ends_on: date, insurer_notice_months: int) -> date:
    """Give N, the last day N with add_months(N + 1 day, 3) on or before E (R6)."""
    # add_months never decreases: coming from too late a day, the first that fits is the last that does.
    following = ends_on - timedelta(days=_FEWEST_DAYS_A_MONTH * insurer_notice_months - 1)
    while add_months(following, insurer_notice_months) > ends_on:
        following -= ONE_DAY
    return following - ONE_DAY


def refund_raw_due(completed_on: date, periods: Periods) -> date:
    """Give the day a refund is due before rolling: calendar days after the complete submission (R7, Q10)."""
    return completed_on + timedelta(days=periods.refund_days)


def acknowledgement_due(received_on: date, periods: Periods) -> date:
    """Give the day on which a complaint must be acknowledged, in working days (R9)."""
    return add_working_days(received_on, periods.acknowledgement_working_days)


def answer_raw_due(received_on: date, periods: Periods) -> date:
    """Give the day on which a complaint must be answered before rolling; receipt is not counted (R9)."""
    return add_months(received_on + ONE_DAY, periods.answer_months) - ONE_DAY


def opinion_raw_due(escalated_on: date, ombudsman_days: int) -> date:
    """Give the day on which the Ombudsman's opinion is due before rolling (R9)."""
    return escalated_on + timedelta(days=ombudsman_days)


def withdrawal_raw_last_day(starts_on: date, concluded_on: date, periods: Periods) -> date:
    """Give the last day of withdrawal before rolling; the day of conclusion or start is not counted (R10)."""
    return max(starts_on, concluded_on) + timedelta(days=periods.withdrawal_days)
