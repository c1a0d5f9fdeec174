"""A virtual year over a copy of a book: what time will do, and when, if nobody does more than assumed. Pure.

The copy is in memory, each stream as the diary knows it; nothing is recorded. Time acts by the ledger's own
rules (`elapse`), notices are decided by its own decisions.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from ledger.domain.calendar import BRUSSELS, ONE_DAY, brussels_date, brussels_midnight
from ledger.domain.contract.commands import SendTerminationNotice
from ledger.domain.contract.events import Cancelled, ContractExpired, ContractRenewed, TerminationNoticeSent
from ledger.domain.contract.state import Contract
from ledger.domain.dispatch import State, decide, elapse, fold
from ledger.domain.event import PendingEvent, RecordedEvent
from schedulers.planning import plan

POSTED_AT = time(10)
"""Brussels time of day at which the assumed notices are posted."""
NO_END = date.max - timedelta(days=400)


@dataclass(slots=True)
class Month:
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
    months: Sequence[Month]
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
    """Let time act on a copy of these streams from one instant to another (UTC).

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
    """Let one stream live through the time."""
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


def _count(month: Month, entry: PendingEvent) -> None:
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


def _months(begun_at: datetime, until: datetime) -> Iterator[Month]:
    first, last = _month(brussels_date(begun_at)), brussels_date(until)
    while first <= last:
        yield Month(first)
        first = _month(first + timedelta(days=31))


def _month(day: date) -> date:
    return day.replace(day=1)


def until_of(begun_at: datetime, until: date | None) -> datetime:
    """Give the instant up to which is simulated: 00:00 of a day, or of the day a year later."""
    day = until or brussels_date(begun_at) + 365 * ONE_DAY
    return brussels_midnight(day)
