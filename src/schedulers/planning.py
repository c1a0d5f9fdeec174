"""The run-off foretold: which notices will be posted when, and what load that makes for each day. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ledger.domain.calendar import (
    ONE_DAY,
    is_working_day,
    last_timely_letter,
    roll_back,
    roll_forward,
    term_end,
)
from ledger.domain.contract.state import Contract
from schedulers.letters.wanting import run_off_from, runs_on


@dataclass(frozen=True, slots=True)
class PlannedNotice:
    """One notice that is to be posted."""

    contract: str
    post_on: date
    """The working day on which it is planned to be posted."""
    post_by: date
    """The last working day on which it is timely (R6)."""
    ends_on: date
    """The first day without cover, once it is posted in time."""
    term: int
    """The term that it ends."""


@dataclass(frozen=True, slots=True)
class DayLoad:
    """How many notices are planned for a working day."""

    day: date
    notices: int


def plan(
    contracts: Iterable[Contract], today: date, first: date, last: date, ahead_days: int
) -> Sequence[PlannedNotice]:
    """Plan the notices of a run-off that are to be posted from `first` to `last`, both inclusive.

    Each running contract gets one once its product is sold no longer: `ahead_days` before its deadline, on a
    working day, at the earliest today; or in a later term where this term's day comes too early.
    """
    planned = [notice for contract in contracts for notice in _of(contract, today, ahead_days)]
    within = [notice for notice in planned if first <= notice.post_on <= last]
    return sorted(within, key=lambda notice: (notice.post_on, notice.post_by, notice.contract))


def load(planned: Iterable[PlannedNotice], first: date, last: date) -> Sequence[DayLoad]:
    """Give the load of each working day from `first` to `last`, those without any included."""
    counted = Counter(notice.post_on for notice in planned)
    days = ((last - first) // ONE_DAY) + 1
    return [
        DayLoad(day, counted[day])
        for day in (first + timedelta(days=number) for number in range(days))
        if is_working_day(day) or counted[day]
    ]


def _of(contract: Contract, today: date, ahead_days: int) -> Iterator[PlannedNotice]:
    if not runs_on(contract):
        return
    earliest = max(today, run_off_from(contract))
    term, ends_on, last_timely_on = _first_term(contract, earliest)
    post_by = roll_back(last_timely_on)
    wanted = max(earliest, roll_back(post_by - timedelta(days=ahead_days)))
    post_on = min(roll_forward(wanted), last_timely_on)
    yield PlannedNotice(contract.number, post_on, post_by, ends_on, term)


def _first_term(contract: Contract, earliest: date) -> tuple[int, date, date]:
    """Give the first term that a letter posted on a day, or later, can still end: its number, E and N."""
    periods = contract.applicable_terms.periods
    term = contract.term
    while True:
        ends_on = term_end(contract.starts_on, term, periods)
        last_timely_on = last_timely_letter(ends_on, periods.insurer_notice_months)
        if last_timely_on >= earliest:
            return term, ends_on, last_timely_on
        term += 1
