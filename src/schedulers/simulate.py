"""What is to come: the notices of the run-off, and a virtual year over a copy of a book. Pure.

The copy is in memory, each stream as the diary knows it; nothing is recorded. Time acts by the ledger's own
rules (`elapse`), notices are decided by its own decisions.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from ledger.domain.calendar import (
    BRUSSELS,
    ONE_DAY,
    brussels_date,
    brussels_midnight,
    is_working_day,
    last_timely_letter,
    roll_back,
    roll_forward,
    term_end,
)
from ledger.domain.contract.commands import SendTerminationNotice
from ledger.domain.contract.events import Cancelled, ContractExpired, ContractRenewed, TerminationNoticeSent
from ledger.domain.contract.state import Contract
from ledger.domain.dispatch import State, decide, elapse, fold
from ledger.domain.event import PendingEvent, RecordedEvent
from ledger.domain.terms import packaged_terms
from schedulers.letters.triggers import run_off_from, runs_on


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


def daily_load(planned: Iterable[PlannedNotice], first: date, last: date) -> Sequence[DayLoad]:
    """Return the load of each working day from `first` to `last`, those without any included."""
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
    """Return the first term that a letter posted on a day, or later, can still end: its number, E and N."""
    periods = contract.applicable_terms(packaged_terms()).periods
    term = contract.term
    while True:
        ends_on = term_end(contract.starts_on, term, periods)
        last_timely_on = last_timely_letter(ends_on, periods.insurer_notice_months)
        if last_timely_on >= earliest:
            return term, ends_on, last_timely_on
        term += 1


POSTED_AT = time(10)
"""Brussels time of day at which the assumed notices are posted."""
NO_END = date.max - timedelta(days=400)


@dataclass(slots=True)
class SimulatedMonth:
    """What happens in one calendar month of Brussels."""

    first: date
    posted: int = 0
    """Notices posted, as the run-off plans them."""
    renewed: int = 0
    expired: int = 0
    cancelled: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    """Deadlines that went by, by kind."""
    running: int = 0
    """Contracts that run at its end."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """A stretch of virtual time."""

    begun_at: datetime
    until: datetime
    """UTC, inclusive."""
    months: Sequence[SimulatedMonth]
    events: int
    """That time, and the assumed postings, made happen."""
    running_before: int
    running_after: int


def simulate(
    states: Iterable[State],
    begun_at: datetime,
    until: datetime,
    *,
    posts_ahead_days: int | None,
    report: Callable[[int], None] = lambda _done: None,
) -> Simulation:
    """Simulate time on a copy of these streams from one instant to another (UTC).

    `posts_ahead_days`: each notice of the run-off is posted so many days before its deadline; None: nobody
    posts any. Nothing else is assumed: no refund is paid, no complaint is answered.
    """
    months = {month.first: month for month in _months(begun_at, until)}
    events, before, after = 0, 0, 0
    changes: Counter[date] = Counter()
    for done, state in enumerate(states, 1):
        runs = isinstance(state, Contract) and state.ended is None
        before += runs
        later, entries = _lived(state, begun_at, until, posts_ahead_days)
        for entry in entries:
            _count(months[_month(brussels_date(entry.at))], entry)
        events += len(entries)
        if runs and isinstance(later, Contract):
            after += later.ended is None
            if later.ended is not None:
                changes[_month(brussels_date(entries[-1].at))] += 1
        report(done)
    running = before
    for first in sorted(months):
        running -= changes[first]
        months[first].running = running
    return Simulation(begun_at, until, [months[first] for first in sorted(months)], events, before, after)


def _lived(
    state: State, begun_at: datetime, until: datetime, posts_ahead_days: int | None
) -> tuple[State, list[PendingEvent]]:
    """Simulate time on one stream."""
    lived: list[PendingEvent] = []
    owed = list(elapse(state, begun_at))
    state = _after(state, owed)
    if posts_ahead_days is not None and isinstance(state, Contract):
        today = brussels_date(begun_at)
        for notice in plan([state], today, today, NO_END, posts_ahead_days):
            at = max(datetime.combine(notice.post_on, POSTED_AT, BRUSSELS).astimezone(UTC), begun_at)
            if at > until:
                continue
            owed = list(elapse(state, at))
            state, lived = _after(state, owed), lived + owed
            if isinstance(state, Contract) and state.ended is None:
                posting = SendTerminationNotice(
                    contract=state.number, posted_on=brussels_date(at), tracking="simulated"
                )
                told = decide(posting, {state.ref: state}, at)
                state, lived = _after(state, told), lived + list(told)
    owed = list(elapse(state, until))
    return _after(state, owed), lived + owed


def _after(state: State, entries: Iterable[PendingEvent]) -> State:
    for entry in entries:
        recorded = RecordedEvent(entry.stream, 0, entry.event, entry.effective_on, entry.at)
        state = fold(state, recorded) or state
    return state


def _count(month: SimulatedMonth, entry: PendingEvent) -> None:
    match entry.event:
        case TerminationNoticeSent():
            month.posted += 1
        case ContractRenewed():
            month.renewed += 1
        case ContractExpired():
            month.expired += 1
        case Cancelled():
            month.cancelled += 1
        case event:
            kind = getattr(event, "kind", None)
            if event.stable_name.endswith(".DeadlineMissed") and isinstance(kind, str):
                month.missed[kind] += 1


def _months(begun_at: datetime, until: datetime) -> Iterator[SimulatedMonth]:
    first, last = _month(brussels_date(begun_at)), brussels_date(until)
    while first <= last:
        yield SimulatedMonth(first)
        first = _month(first + timedelta(days=31))


def _month(day: date) -> date:
    return day.replace(day=1)


def until_of(begun_at: datetime, until: date | None) -> datetime:
    """Return the instant up to which is simulated: 00:00 of a day, or of the day a year later."""
    day = until or brussels_date(begun_at) + 365 * ONE_DAY
    return brussels_midnight(day)
