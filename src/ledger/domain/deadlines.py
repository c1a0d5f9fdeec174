"""Due dates: one table of policies, folded alike by the aggregates, the `due` view and the agenda.

A row of the table says which events open a deadline of its kind, meet, reopen and cancel it, and on which day
it is missed. No policy knows another, and a new kind of deadline is a new row.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeVar

from ledger.domain.calendar import ONE_DAY, brussels_midnight, roll_back, roll_forward
from ledger.domain.claim.events import (
    ClaimAccepted,
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
    ComplaintEscalated,
    ComplaintLodged,
    OmbudsmanOpinionReceived,
)
from ledger.domain.contract.events import (
    Cancelled,
    ContractAnnulled,
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
    """One due date of one subject, known by its kind and its number among the rows of that kind, from 1."""

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
class Dates:
    """The dates of a row that is opened."""

    raw_due_on: date
    due_on: date
    alert_on: date


def on_the_day(day: date) -> Dates:
    """Return the dates of an end, which are the same (R7)."""
    return Dates(day, day, day)


def rolled_forward(raw_due_on: date) -> Dates:
    """Return those of a day that rolls forward to a working day, with its alert before it (R7)."""
    return Dates(raw_due_on, roll_forward(raw_due_on), roll_back(raw_due_on))


def rolled_back(raw_due_on: date) -> Dates:
    """Return those of a day that rolls back to a working day (R6)."""
    due_on = roll_back(raw_due_on)
    return Dates(raw_due_on, due_on, due_on)


def met(row: Deadline, on: date) -> Deadline:
    """Meet a row: an open one is met; a missed one stays missed and says when it was met late (R12)."""
    if row.status == "open":
        return replace(row, status="met", met_on=on)
    if row.status == "missed" and row.met_on is None:
        return replace(row, met_on=on)
    return row


def missed(row: Deadline) -> Deadline:
    """Miss a row that is still open."""
    return replace(row, status="missed") if row.status == "open" else row


def cancelled(row: Deadline) -> Deadline:
    """Cancel a row that is still open."""
    return replace(row, status="cancelled") if row.status == "open" else row


def cancelled_by_end(row: Deadline, ends_on: date) -> Deadline:
    """Cancel a row that was still open when the contract ended on or before its raw date (I15).

    An end may be recorded late (D3): what a later day has made of the row meanwhile never came to be, and
    goes.
    """
    resolved_before = row.met_on is not None and row.met_on < ends_on
    if row.raw_due_on < ends_on or resolved_before or row.status == "cancelled":
        return row
    return replace(row, status="cancelled", met_on=None)


def no_longer_met(row: Deadline) -> Deadline:
    """Open a row again that was met in time; what was missed stays so, and is met late no more (D12, R12)."""
    return replace(row, status="open" if row.status == "met" else row.status, met_on=None)


@dataclass(frozen=True, slots=True)
class DeadlineOpening:
    """What opens a row: an event, and the dates that it gives; None where it opens none after all."""

    event: type[Event]
    dates: Callable[[RecordedEvent], Dates | None]


@dataclass(frozen=True, slots=True)
class DeadlineChange:
    """What changes the rows of a kind: an event, and what becomes of each row."""

    event: type[Event]
    row: Callable[[Deadline, RecordedEvent], Deadline]


def opens(event_type: type[E], dates: Callable[[E], Dates | None]) -> DeadlineOpening:
    """Open a row where an event of the type gives dates."""

    def found(recorded: RecordedEvent) -> Dates | None:
        return dates(recorded.event) if isinstance(recorded.event, event_type) else None

    return DeadlineOpening(event_type, found)


def changes(event_type: type[E], change: Callable[[Deadline, E], Deadline]) -> DeadlineChange:
    """Change each row by an event of the type."""

    def changed(row: Deadline, recorded: RecordedEvent) -> Deadline:
        return change(row, recorded.event) if isinstance(recorded.event, event_type) else row

    return DeadlineChange(event_type, changed)


def day_after_due(row: Deadline) -> date:
    """Return the first day on which a row is missed."""
    return row.due_on + ONE_DAY


def day_after_raw(row: Deadline) -> date:
    """Return the first day on which a row is missed that was due before its last day, N (R6)."""
    return row.raw_due_on + ONE_DAY


@dataclass(frozen=True, slots=True)
class DeadlinePolicy:
    """All about one kind of due date of one kind of aggregate.

    An event meets, reopens and cancels what stands, in this order, and then opens a further row.
    """

    aggregate: StreamKind
    kind: DeadlineKind
    rule: DeadlineRule
    opened_by: Sequence[DeadlineOpening]
    met_by: Sequence[DeadlineChange]
    cancelled_by: Sequence[DeadlineChange]
    reopened_by: Sequence[DeadlineChange] = ()
    missed_at: Callable[[Deadline], date] | None = day_after_due
    """The day at whose beginning an open row is missed; None for an end, which time meets on `due_on`."""

    @property
    def listens_to(self) -> frozenset[type[Event]]:
        """The events that it makes something of, the missing of its own rows aside."""
        return frozenset(opening.event for opening in self.opened_by) | {one.event for one in self._changes}

    def takes_effect_on(self, row: Deadline) -> date:
        """Return the day at whose beginning time acts on an open row (R12)."""
        return row.due_on if self.missed_at is None else self.missed_at(row)

    def fold(self, rows: tuple[Deadline, ...], recorded: RecordedEvent) -> tuple[Deadline, ...]:
        """Return all rows of a subject after an event, those of other kinds as they were."""
        event = recorded.event
        for change in self._changes:
            if type(event) is change.event:
                rows = tuple(change.row(row, recorded) if row.kind == self.kind else row for row in rows)
        if isinstance(event, DeadlineMissed) and event.kind == self.kind:
            rows = tuple(
                missed(row) if row.kind == self.kind and row.seq == event.seq else row for row in rows
            )
        for opening in self.opened_by:
            if type(event) is opening.event and (dates := opening.dates(recorded)) is not None:
                seq = 1 + sum(row.kind == self.kind for row in rows)
                days = (dates.raw_due_on, dates.due_on, dates.alert_on)
                rows = (*rows, Deadline(recorded.stream, self.kind, self.rule, seq, *days))
        return rows

    @property
    def _changes(self) -> Sequence[DeadlineChange]:
        return (*self.met_by, *self.reopened_by, *self.cancelled_by)


TERMINATION_LETTER = DeadlinePolicy(
    aggregate="contract",
    kind="termination_letter",
    rule="R6",
    opened_by=(
        opens(ContractStarted, lambda started: rolled_back(started.letter_raw_due_on)),
        opens(ContractRenewed, lambda renewed: rolled_back(renewed.letter_raw_due_on)),
    ),
    met_by=(
        # R12: only a timely letter meets the deadline, on the day of its posting (Q8).
        changes(
            TerminationNoticeSent,
            lambda row, sent: (
                met(row, sent.posted_on) if sent.timely and row.raw_due_on == sent.letter_raw_due_on else row
            ),
        ),
    ),
    missed_at=day_after_raw,
    cancelled_by=(
        changes(Cancelled, lambda row, end: cancelled_by_end(row, end.effective_on)),
        changes(ContractExpired, lambda row, end: cancelled_by_end(row, end.ends_on)),
        changes(ContractWithdrawn, lambda row, end: cancelled_by_end(row, end.ends_on)),
        changes(ContractAnnulled, lambda row, _: cancelled(row)),
    ),
)

TERM_END = DeadlinePolicy(
    aggregate="contract",
    kind="term_end",
    rule="R3",
    opened_by=(
        opens(ContractStarted, lambda started: on_the_day(started.ends_on)),
        opens(ContractRenewed, lambda renewed: on_the_day(renewed.ends_on)),
    ),
    met_by=(
        changes(
            ContractRenewed,
            lambda row, term: met(row, term.starts_on) if row.raw_due_on == term.starts_on else row,
        ),
        # D3: a letter recorded after the renewal finds it met; later terms never came to be.
        changes(
            ContractExpired,
            lambda row, end: (
                met(row, end.ends_on) if row.raw_due_on == end.ends_on else cancelled_by_end(row, end.ends_on)
            ),
        ),
    ),
    missed_at=None,
    cancelled_by=(
        # D1: a notice that ends exactly on E cancels the term's end as well.
        changes(Cancelled, lambda row, end: cancelled_by_end(row, end.effective_on)),
        changes(ContractWithdrawn, lambda row, end: cancelled_by_end(row, end.ends_on)),
        changes(ContractAnnulled, lambda row, _: cancelled(row)),
    ),
)

NOTICE_END = DeadlinePolicy(
    aggregate="contract",
    kind="notice_end",
    rule="R5",
    # D2: the R5 date, even where a timely letter ends the contract earlier.
    opened_by=(opens(NoticeReceived, lambda notice: on_the_day(notice.ends_on)),),
    met_by=(changes(Cancelled, lambda row, end: met(row, end.effective_on)),),
    missed_at=None,
    cancelled_by=(
        changes(NoticeRevoked, lambda row, _: cancelled(row)),
        changes(ContractExpired, lambda row, end: cancelled_by_end(row, end.ends_on)),
        changes(ContractWithdrawn, lambda row, end: cancelled_by_end(row, end.ends_on)),
        changes(ContractAnnulled, lambda row, _: cancelled(row)),
    ),
)

WITHDRAWAL_END = DeadlinePolicy(
    aggregate="contract",
    kind="withdrawal_end",
    rule="R10",
    opened_by=(
        opens(
            ContractStarted,
            lambda started: (
                None
                if started.withdrawal_raw_due_on is None
                else rolled_forward(started.withdrawal_raw_due_on)
            ),
        ),
    ),
    met_by=(
        changes(WithdrawalPeriodEnded, lambda row, ended: met(row, ended.due_on)),
        # D6: met by withdrawal, on its receipt, though it may be recorded after the days went by.
        changes(
            ContractWithdrawn,
            lambda row, withdrawn: replace(row, status="met", met_on=withdrawn.received_on),
        ),
    ),
    missed_at=None,
    cancelled_by=(
        changes(Cancelled, lambda row, end: cancelled_by_end(row, end.effective_on)),
        changes(ContractExpired, lambda row, end: cancelled_by_end(row, end.ends_on)),
        changes(ContractAnnulled, lambda row, _: cancelled(row)),
    ),
)


def _settled(row: Deadline, paid: RecordedEvent) -> Deadline:
    settles = isinstance(paid.event, RefundIssued) and row.seq in paid.event.settles
    return met(row, paid.effective_on) if settles else row


REFUND = DeadlinePolicy(
    aggregate="claim",
    kind="refund",
    rule="R7",
    opened_by=(
        opens(SubmissionCompleted, lambda submitted: rolled_forward(submitted.refund_raw_due_on)),
        # D15: reopened and accepted without a new submission, it counts from the further acceptance.
        opens(
            ClaimAccepted,
            lambda accepted: (
                rolled_forward(accepted.refund_raw_due_on)
                if accepted.refund_raw_due_on is not None and accepted.approved_cents
                else None
            ),
        ),
    ),
    met_by=(
        # D11: met on the date of the payment's `at`, which is its effective date.
        DeadlineChange(RefundIssued, _settled),
    ),
    reopened_by=(
        changes(RefundFailed, lambda row, failed: no_longer_met(row) if row.seq in failed.reopens else row),
        changes(RefundReversed, lambda row, back: no_longer_met(row) if row.seq in back.reopens else row),
    ),
    cancelled_by=(
        changes(ClaimAccepted, lambda row, accepted: row if accepted.approved_cents else cancelled(row)),
        changes(ClaimRejected, lambda row, _: cancelled(row)),
        changes(ClaimWithdrawn, lambda row, _: cancelled(row)),
    ),
)


COMPLAINT_ACKNOWLEDGEMENT = DeadlinePolicy(
    aggregate="complaint",
    kind="complaint_acknowledgement",
    rule="R9",
    opened_by=(opens(ComplaintLodged, lambda lodged: rolled_forward(lodged.acknowledgement_due_on)),),
    met_by=(
        changes(ComplaintAcknowledged, lambda row, step: met(row, step.on)),
        # D18: an answer meets an open acknowledgement, not a missed one.
        changes(ComplaintAnswered, lambda row, step: met(row, step.on) if row.status == "open" else row),
    ),
    cancelled_by=(changes(ComplaintClosed, lambda row, _: cancelled(row)),),
)

COMPLAINT_ANSWER = DeadlinePolicy(
    aggregate="complaint",
    kind="complaint_answer",
    rule="R9",
    opened_by=(opens(ComplaintLodged, lambda lodged: rolled_forward(lodged.answer_raw_due_on)),),
    met_by=(changes(ComplaintAnswered, lambda row, step: met(row, step.on)),),
    cancelled_by=(changes(ComplaintClosed, lambda row, _: cancelled(row)),),
)

OMBUDSMAN_OPINION = DeadlinePolicy(
    aggregate="complaint",
    kind="ombudsman_opinion",
    rule="R9",
    opened_by=(opens(ComplaintEscalated, lambda step: rolled_forward(step.opinion_raw_due_on)),),
    met_by=(changes(OmbudsmanOpinionReceived, lambda row, step: met(row, step.on)),),
    cancelled_by=(changes(ComplaintClosed, lambda row, _: cancelled(row)),),
)


class DeadlineTable:
    """All policies, found by aggregate, by kind and by what they listen to."""

    def __init__(self, policies: Sequence[DeadlinePolicy]) -> None:
        """Index them. Of each kind of deadline an aggregate has one policy."""
        self.policies = tuple(policies)
        self._by_kind = {(policy.aggregate, policy.kind): policy for policy in self.policies}
        listening: dict[tuple[StreamKind, type[Event]], list[DeadlinePolicy]] = {}
        for policy in self.policies:
            for event_type in policy.listens_to:
                listening.setdefault((policy.aggregate, event_type), []).append(policy)
        self._listening: Mapping[tuple[StreamKind, type[Event]], Sequence[DeadlinePolicy]] = listening

    @property
    def listens_to(self) -> frozenset[type[Event]]:
        """The events that move any deadline: no other needs to reach who folds them."""
        heard = (policy.listens_to for policy in self.policies)
        return frozenset(DeadlineMissed.__subclasses__()).union(*heard)

    def policy_of(self, row: Deadline) -> DeadlinePolicy | None:
        """Return the policy of a row; None: time does not act on it (retention, R13)."""
        return self._by_kind.get((row.subject.kind, row.kind))

    def fold(self, rows: tuple[Deadline, ...], recorded: RecordedEvent) -> tuple[Deadline, ...]:
        """Return all rows of one subject after an event, in order of opening, from all its rows before."""
        event, aggregate = recorded.event, recorded.stream.kind
        if isinstance(event, DeadlineMissed):
            policy = self._by_kind.get((aggregate, event.kind))
            return rows if policy is None else policy.fold(rows, recorded)
        for policy in self._listening.get((aggregate, type(event)), ()):
            rows = policy.fold(rows, recorded)
        return rows


DEADLINES = DeadlineTable(
    (
        TERMINATION_LETTER,
        TERM_END,
        NOTICE_END,
        WITHDRAWAL_END,
        REFUND,
        COMPLAINT_ACKNOWLEDGEMENT,
        COMPLAINT_ANSWER,
        OMBUDSMAN_OPINION,
    )
)
"""Every kind of deadline that events open. Time acts on them in this order at one instant."""

LISTENED_TO: frozenset[type[Event]] = DEADLINES.listens_to


def fold_deadlines(rows: tuple[Deadline, ...], recorded: RecordedEvent) -> tuple[Deadline, ...]:
    """Return all rows of one subject after an event, in order of opening, from all its rows before."""
    return DEADLINES.fold(rows, recorded)


def takes_effect_at(row: Deadline) -> datetime | None:
    """Return the instant (UTC) at which time acts on an open row (R12); None for any other row.

    An end is met at 00:00 of its date, an unused withdrawal likewise on its day (D6); a letter is missed at
    00:00 of the day after N, everything else at 00:00 of the day after `due_on`.
    """
    policy = DEADLINES.policy_of(row) if row.status == "open" else None
    return None if policy is None else brussels_midnight(policy.takes_effect_on(row))


def is_missed_at(row: Deadline, instant: datetime) -> bool:
    """Whether time misses an open row at an instant (UTC), rather than meeting an end."""
    policy = DEADLINES.policy_of(row)
    return policy is not None and policy.missed_at is not None and takes_effect_at(row) == instant
