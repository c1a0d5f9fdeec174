"""Due dates: a table of policies an aggregate; aggregates, the `due` view and the agenda all fold by it.

A policy is a row of `TABLES`: which events open rows of its kind, meet, reopen or cancel them, and when time
acts on one that stands open. A further deadline is a further row; no policy knows another.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeVar

from ledger.domain.calendar import ONE_DAY, brussels_midnight, roll_back, roll_forward
from ledger.domain.claim.events import (
    ClaimAccepted,
    ClaimDeadlineMissed,
    ClaimRejected,
    ClaimWithdrawn,
    RefundFailed,
    RefundIssued,
    RefundReversed,
    SubmissionCompleted,
)
from ledger.domain.codes import DeadlineKind, DeadlineRule, DeadlineStatus
from ledger.domain.complaint.events import (
    ComplaintAcknowledged,
    ComplaintAnswered,
    ComplaintClosed,
    ComplaintDeadlineMissed,
    ComplaintEscalated,
    ComplaintLodged,
    OmbudsmanOpinionReceived,
)
from ledger.domain.contract.events import (
    Cancelled,
    ContractAnnulled,
    ContractDeadlineMissed,
    ContractExpired,
    ContractRenewed,
    ContractStarted,
    ContractWithdrawn,
    NoticeReceived,
    NoticeRevoked,
    TerminationNoticeSent,
    WithdrawalPeriodEnded,
)
from ledger.domain.event import DeadlineMissed, Event, RecordedEvent
from ledger.domain.identifiers import StreamKind, StreamRef

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Deadline:
    """One due date of one subject. `seq` numbers the subject's rows of one kind, from 1."""

    subject: StreamRef
    kind: DeadlineKind
    rule: DeadlineRule
    seq: int
    raw_due_on: date
    due_on: date
    alert_on: date
    status: DeadlineStatus = "open"
    met_on: date | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """A kind of event that opens a row, and the raw date that it gives it; None: it opens none."""

    event: type[Event]
    day: Callable[[Any], date | None]


@dataclass(frozen=True, slots=True)
class Change:
    """A kind of event that changes standing rows: which, and into what."""

    event: type[Event]
    concerns: Callable[[Any, Deadline], bool]
    change: Callable[[RecordedEvent, Deadline], Deadline]


def _every_row(_event: object, _row: Deadline) -> bool:
    return True


def opened(event: type[E], day: Callable[[E], date | None]) -> Opening:
    """Open a row at a day that the event names."""
    return Opening(event, day)


def met(
    event: type[E],
    on: Callable[[E], date] | None = None,
    which: Callable[[E, Deadline], bool] = _every_row,
) -> Change:
    """Meet rows on a day that the event names, else on its effective date (R12)."""

    def change(recorded: RecordedEvent, row: Deadline) -> Deadline:
        if row.status == "open":
            return replace(row, status="met", met_on=_day(recorded, on))
        if row.status == "missed" and row.met_on is None:
            # R12: it stays missed and says when it was met late.
            return replace(row, met_on=_day(recorded, on))
        return row

    return Change(event, which, change)


def met_regardless(event: type[E], on: Callable[[E], date]) -> Change:
    """Meet rows that are met or cancelled already as well."""
    return Change(
        event, _every_row, lambda recorded, row: replace(row, status="met", met_on=_day(recorded, on))
    )


def reopened(event: type[E], which: Callable[[E, Deadline], bool]) -> Change:
    """Take back that rows were met: what was missed stays missed, and is met late no more (D12, R12)."""

    def change(_recorded: RecordedEvent, row: Deadline) -> Deadline:
        return replace(row, status="open" if row.status == "met" else row.status, met_on=None)

    return Change(event, which, change)


def cancelled(event: type[E], which: Callable[[E, Deadline], bool] = _every_row) -> Change:
    """Cancel rows that are still open."""

    def change(_recorded: RecordedEvent, row: Deadline) -> Deadline:
        return replace(row, status="cancelled") if row.status == "open" else row

    return Change(event, which, change)


def ended(event: type[E], on: Callable[[E], date]) -> Change:
    """Cancel rows that were still open when the contract ended on or before their raw date (I15).

    An end may be recorded late (D3): what a later day has made of a row meanwhile never came to be, and goes.
    """

    def change(recorded: RecordedEvent, row: Deadline) -> Deadline:
        ends_on = _day(recorded, on)
        resolved_before = row.met_on is not None and row.met_on < ends_on
        if row.raw_due_on < ends_on or resolved_before or row.status == "cancelled":
            return row
        return replace(row, status="cancelled", met_on=None)

    return Change(event, _every_row, change)


def _missed(event: type[DeadlineMissed]) -> Change:
    def concerns(missed: DeadlineMissed, row: Deadline) -> bool:
        return missed.kind == row.kind and missed.seq == row.seq

    def change(_recorded: RecordedEvent, row: Deadline) -> Deadline:
        return replace(row, status="missed") if row.status == "open" else row

    return Change(event, concerns, change)


def _day(recorded: RecordedEvent, on: Callable[[Any], date] | None) -> date:
    return recorded.effective_on if on is None else on(recorded.event)


Dates = tuple[date, date, date]
"""Of a row: the raw date, the day on which it is due, the day of its alert."""


def on_the_day(day: date) -> Dates:
    """Return the dates of an end, which are the same (R7)."""
    return day, day, day


def rolled_forward(raw_due_on: date) -> Dates:
    """Return the dates of a day that rolls forward to a working day, with its alert before it (R7)."""
    return raw_due_on, roll_forward(raw_due_on), roll_back(raw_due_on)


def rolled_back(raw_due_on: date) -> Dates:
    """Return the dates of a day that rolls back to a working day (R6)."""
    due_on = roll_back(raw_due_on)
    return raw_due_on, due_on, due_on


def after_due(row: Deadline) -> date:
    """Return the day after the one on which a row is due."""
    return row.due_on + ONE_DAY


def after_raw(row: Deadline) -> date:
    """Return the day after a row's raw date, N of a letter."""
    return row.raw_due_on + ONE_DAY


@dataclass(frozen=True, slots=True)
class Policy:
    """One kind of due date. Of the changes that an event makes, the first that concerns a row counts."""

    kind: DeadlineKind
    rule: DeadlineRule
    dates: Callable[[date], Dates]
    opened_by: tuple[Opening, ...]
    met_by: tuple[Change, ...]
    cancelled_by: tuple[Change, ...] = ()
    reopened_by: tuple[Change, ...] = ()
    missed_at: Callable[[Deadline], date] | None = after_due
    """At 00:00 of which day (Brussels) an open row is missed (R12).

    None: it is an end or a renewal, an act of the contract's own at 00:00 of its due date (D6).
    """


class DeadlineTable:
    """The policies of one aggregate, found by the events that they hear."""

    def __init__(self, missed: type[DeadlineMissed], policies: Sequence[Policy]) -> None:
        """Take the event by which the aggregate misses a row, and policies in the order of opening rows."""
        self.missed = missed
        self.policies = tuple(policies)
        self.by_kind = {policy.kind: policy for policy in policies}
        self._heard: dict[type[Event], list[_Reaction]] = {}
        for policy in policies:
            changes = (*policy.met_by, *policy.reopened_by, *policy.cancelled_by, _missed(missed))
            heard = [*(one.event for one in policy.opened_by), *(one.event for one in changes)]
            for event in dict.fromkeys(heard):
                reaction = _Reaction(
                    policy,
                    [change for change in changes if change.event is event],
                    [opening for opening in policy.opened_by if opening.event is event],
                )
                self._heard.setdefault(event, []).append(reaction)

    @property
    def events(self) -> Collection[type[Event]]:
        """The events that move any row: no other needs to reach who folds them."""
        return self._heard.keys()

    def fold(self, rows: tuple[Deadline, ...], recorded: RecordedEvent) -> tuple[Deadline, ...]:
        """Return all rows of one subject after an event, in order of opening, from all its rows before."""
        for reaction in self._heard.get(type(recorded.event), ()):
            rows = reaction.fold(rows, recorded)
        return rows


@dataclass(frozen=True, slots=True)
class _Reaction:
    """What one policy makes of one kind of event."""

    policy: Policy
    changes: Sequence[Change]
    openings: Sequence[Opening]

    def fold(self, rows: tuple[Deadline, ...], recorded: RecordedEvent) -> tuple[Deadline, ...]:
        kind = self.policy.kind
        if self.changes:
            rows = tuple(self._changed(row, recorded) if row.kind == kind else row for row in rows)
        for opening in self.openings:
            day = opening.day(recorded.event)
            if day is not None:
                seq = 1 + sum(row.kind == kind for row in rows)
                dates = self.policy.dates(day)
                rows = (*rows, Deadline(recorded.stream, kind, self.policy.rule, seq, *dates))
        return rows

    def _changed(self, row: Deadline, recorded: RecordedEvent) -> Deadline:
        for change in self.changes:
            if change.concerns(recorded.event, row):
                return change.change(recorded, row)
        return row


_CONTRACT_ENDS = (
    ended(Cancelled, lambda event: event.effective_on),
    ended(ContractExpired, lambda event: event.ends_on),
    ended(ContractWithdrawn, lambda event: event.ends_on),
    cancelled(ContractAnnulled),
)

TABLES: dict[StreamKind, DeadlineTable] = {
    "contract": DeadlineTable(
        ContractDeadlineMissed,
        (
            Policy(
                kind="termination_letter",
                rule="R6",
                dates=rolled_back,
                opened_by=(
                    opened(ContractStarted, lambda event: event.letter_raw_due_on),
                    opened(ContractRenewed, lambda event: event.letter_raw_due_on),
                ),
                met_by=(
                    # R12: only a timely letter meets the deadline, on the day of its posting (Q8).
                    met(
                        TerminationNoticeSent,
                        on=lambda event: event.posted_on,
                        which=lambda event, row: event.timely and row.raw_due_on == event.letter_raw_due_on,
                    ),
                ),
                cancelled_by=_CONTRACT_ENDS,
                missed_at=after_raw,
            ),
            Policy(
                kind="term_end",
                rule="R3",
                dates=on_the_day,
                opened_by=(
                    opened(ContractStarted, lambda event: event.ends_on),
                    opened(ContractRenewed, lambda event: event.ends_on),
                ),
                met_by=(
                    met(
                        ContractRenewed,
                        on=lambda event: event.starts_on,
                        which=lambda event, row: row.raw_due_on == event.starts_on,
                    ),
                    # D3: a letter recorded after the renewal finds it met; later terms never came to be.
                    met(
                        ContractExpired,
                        on=lambda event: event.ends_on,
                        which=lambda event, row: row.raw_due_on == event.ends_on,
                    ),
                ),
                # D1: a notice that ends exactly on E cancels the term's end as well.
                cancelled_by=_CONTRACT_ENDS,
                missed_at=None,
            ),
            Policy(
                kind="notice_end",
                rule="R5",
                dates=on_the_day,
                # D2: the R5 date, even where a timely letter ends the contract earlier.
                opened_by=(opened(NoticeReceived, lambda event: event.ends_on),),
                met_by=(met(Cancelled, on=lambda event: event.effective_on),),
                cancelled_by=(cancelled(NoticeRevoked), *_CONTRACT_ENDS),
                missed_at=None,
            ),
            Policy(
                kind="withdrawal_end",
                rule="R10",
                dates=rolled_forward,
                opened_by=(opened(ContractStarted, lambda event: event.withdrawal_raw_due_on),),
                met_by=(
                    met(WithdrawalPeriodEnded, on=lambda event: event.due_on),
                    # D6: on the withdrawal's receipt, though it may be recorded after the days went by.
                    met_regardless(ContractWithdrawn, on=lambda event: event.received_on),
                ),
                cancelled_by=_CONTRACT_ENDS,
                missed_at=None,
            ),
        ),
    ),
    "claim": DeadlineTable(
        ClaimDeadlineMissed,
        (
            Policy(
                kind="refund",
                rule="R7",
                dates=rolled_forward,
                opened_by=(
                    opened(SubmissionCompleted, lambda event: event.refund_raw_due_on),
                    # D15: reopened and accepted without a new submission, it counts from that acceptance.
                    opened(ClaimAccepted, lambda event: event.refund_raw_due_on),
                ),
                # D11: met on the date of the payment's `at`, which is its effective date.
                met_by=(met(RefundIssued, which=lambda event, row: row.seq in event.settles),),
                reopened_by=(
                    reopened(RefundFailed, which=lambda event, row: row.seq in event.reopens),
                    reopened(RefundReversed, which=lambda event, row: row.seq in event.reopens),
                ),
                cancelled_by=(
                    cancelled(ClaimAccepted, which=lambda event, _row: event.approved_cents == 0),
                    cancelled(ClaimRejected),
                    cancelled(ClaimWithdrawn),
                ),
            ),
        ),
    ),
    "complaint": DeadlineTable(
        ComplaintDeadlineMissed,
        (
            Policy(
                kind="complaint_acknowledgement",
                rule="R9",
                dates=rolled_forward,
                opened_by=(opened(ComplaintLodged, lambda event: event.acknowledgement_due_on),),
                met_by=(
                    met(ComplaintAcknowledged, on=lambda event: event.on),
                    # D18: an answer meets an open acknowledgement, not a missed one.
                    met(
                        ComplaintAnswered,
                        on=lambda event: event.on,
                        which=lambda _event, row: row.status == "open",
                    ),
                ),
                cancelled_by=(cancelled(ComplaintClosed),),
            ),
            Policy(
                kind="complaint_answer",
                rule="R9",
                dates=rolled_forward,
                opened_by=(opened(ComplaintLodged, lambda event: event.answer_raw_due_on),),
                met_by=(met(ComplaintAnswered, on=lambda event: event.on),),
                cancelled_by=(cancelled(ComplaintClosed),),
            ),
            Policy(
                kind="ombudsman_opinion",
                rule="R9",
                dates=rolled_forward,
                opened_by=(opened(ComplaintEscalated, lambda event: event.opinion_raw_due_on),),
                met_by=(met(OmbudsmanOpinionReceived, on=lambda event: event.on),),
                cancelled_by=(cancelled(ComplaintClosed),),
            ),
        ),
    ),
}
"""The policies of each aggregate."""


def listened_to() -> frozenset[type[Event]]:
    """Return the events that move any deadline of any aggregate."""
    return frozenset(event for table in TABLES.values() for event in table.events)


def fold_deadlines(rows: tuple[Deadline, ...], recorded: RecordedEvent) -> tuple[Deadline, ...]:
    """Return all rows of one subject after an event, in order of opening, from all its rows before."""
    return TABLES[recorded.stream.kind].fold(rows, recorded)


def _policy(row: Deadline) -> Policy:
    return TABLES[row.subject.kind].by_kind[row.kind]


def takes_effect_at(row: Deadline) -> datetime | None:
    """Return the instant (UTC) at which time acts on an open row (R12); None for any other row."""
    if row.status != "open":
        return None
    missed_at = _policy(row).missed_at
    return brussels_midnight(row.due_on if missed_at is None else missed_at(row))


def due_at(rows: Sequence[Deadline], instant: datetime) -> Sequence[Deadline]:
    """Return the rows on which time acts at an instant: those that it misses first, then ends (R12)."""
    due = [row for row in rows if takes_effect_at(row) == instant]
    return sorted(due, key=is_end)


def is_end(row: Deadline) -> bool:
    """Whether time ends or renews something at a row, rather than missing it."""
    return _policy(row).missed_at is None


def missed(row: Deadline) -> DeadlineMissed:
    """Return the event by which a row is missed."""
    return TABLES[row.subject.kind].missed(kind=row.kind, rule=row.rule, due_on=row.due_on, seq=row.seq)
