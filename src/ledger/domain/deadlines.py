"""Due dates: one pure policy a kind, folded alike by the aggregates, the `due` view and the agenda.

A policy says what an event makes of its kind's rows: `react(recorded)` gives the rows to open and the updates
of those that stand. No policy knows another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, assert_never

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
from ledger.domain.codes import DeadlineKind, DeadlineStatus
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
from ledger.domain.event import Event, RecordedEvent
from ledger.domain.identifiers import StreamRef

DeadlineRule = Literal["R3", "R5", "R6", "R7", "R9", "R10", "R13"]


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
class OpenDeadline:
    """A further row of a policy's kind."""

    raw_due_on: date
    due_on: date
    alert_on: date


@dataclass(frozen=True, slots=True)
class UpdateDeadline:
    """What happens to each standing row of a policy's kind."""

    change: Callable[[Deadline], Deadline]


def on_the_day(day: date) -> OpenDeadline:
    """Open an end, whose three dates are the same (R7)."""
    return OpenDeadline(day, day, day)


def rolled_forward(raw_due_on: date) -> OpenDeadline:
    """Open a day that rolls forward to a working day, with its alert before it (R7)."""
    return OpenDeadline(raw_due_on, roll_forward(raw_due_on), roll_back(raw_due_on))


def rolled_back(raw_due_on: date) -> OpenDeadline:
    """Open a day that rolls back to a working day (R6)."""
    due_on = roll_back(raw_due_on)
    return OpenDeadline(raw_due_on, due_on, due_on)


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


def takes_effect_at(deadline: Deadline) -> datetime | None:
    """Return the instant (UTC) at which time acts on an open row (R12); None for any other row.

    An end is met at 00:00 of its date, an unused withdrawal likewise on its day (D6); a letter is missed at
    00:00 of the day after N, everything else at 00:00 of the day after `due_on`.
    """
    if deadline.status != "open":
        return None
    match deadline.kind:
        case "term_end" | "notice_end" | "withdrawal_end":
            return brussels_midnight(deadline.due_on)
        case "termination_letter":
            return brussels_midnight(deadline.raw_due_on + ONE_DAY)
        case _:
            return brussels_midnight(deadline.due_on + ONE_DAY)


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of one kind of due date.

    `react` gives what an event makes of the kind's rows: updates of those that stand, further rows, in
    order.
    """

    kind: DeadlineKind
    rule: DeadlineRule
    listens_to: frozenset[type[Event]]
    react: Callable[[RecordedEvent], Sequence[OpenDeadline | UpdateDeadline]]


def fold_with(
    policies: Sequence[Policy], rows: tuple[Deadline, ...], recorded: RecordedEvent
) -> tuple[Deadline, ...]:
    """Fold one event into the rows of one subject by each policy in turn."""
    for policy in policies:
        if type(recorded.event) in policy.listens_to:
            for reaction in policy.react(recorded):
                rows = _applied(policy, rows, recorded, reaction)
    return rows


def _applied(
    policy: Policy,
    rows: tuple[Deadline, ...],
    recorded: RecordedEvent,
    reaction: OpenDeadline | UpdateDeadline,
) -> tuple[Deadline, ...]:
    if isinstance(reaction, UpdateDeadline):
        return tuple(reaction.change(row) if row.kind == policy.kind else row for row in rows)
    seq = 1 + sum(row.kind == policy.kind for row in rows)
    return (
        *rows,
        Deadline(
            recorded.stream,
            policy.kind,
            policy.rule,
            seq,
            reaction.raw_due_on,
            reaction.due_on,
            reaction.alert_on,
        ),
    )


def _update_termination_letter(recorded: RecordedEvent) -> Sequence[OpenDeadline | UpdateDeadline]:  # noqa: PLR0911 - one return a kind of event
    """Return what an event makes of the letter's rows."""
    match recorded.event:
        case ContractStarted(letter_raw_due_on=day) | ContractRenewed(letter_raw_due_on=day):
            return (rolled_back(day),)
        case TerminationNoticeSent(timely=True, posted_on=posted_on, letter_raw_due_on=day):
            # R12: only a timely letter meets the deadline, on the day of its posting (Q8).
            return (UpdateDeadline(lambda row: met(row, posted_on) if row.raw_due_on == day else row),)
        case ContractDeadlineMissed(kind="termination_letter", seq=seq):
            return (UpdateDeadline(lambda row: missed(row) if row.seq == seq else row),)
        case Cancelled(effective_on=end):
            return (UpdateDeadline(lambda row: cancelled_by_end(row, end)),)
        case ContractExpired(ends_on=end) | ContractWithdrawn(ends_on=end):
            return (UpdateDeadline(lambda row: cancelled_by_end(row, end)),)
        case ContractAnnulled():
            return (UpdateDeadline(cancelled),)
        case _:
            return ()


TERMINATION_LETTER = Policy(
    kind="termination_letter",
    rule="R6",
    listens_to=frozenset(
        {
            ContractStarted,
            ContractRenewed,
            TerminationNoticeSent,
            ContractDeadlineMissed,
            Cancelled,
            ContractExpired,
            ContractWithdrawn,
            ContractAnnulled,
        }
    ),
    react=_update_termination_letter,
)


def _update_term_end(recorded: RecordedEvent) -> Sequence[OpenDeadline | UpdateDeadline]:  # noqa: PLR0911 - one return a kind of event
    """Return what an event makes of the rows of the terms' ends."""
    match recorded.event:
        case ContractStarted(ends_on=end):
            return (on_the_day(end),)
        case ContractRenewed(starts_on=start, ends_on=end):
            return (
                UpdateDeadline(lambda row: met(row, start) if row.raw_due_on == start else row),
                on_the_day(end),
            )
        case ContractExpired(ends_on=end):

            def through(row: Deadline) -> Deadline:
                # D3: a letter recorded after the renewal finds it met; later terms never came to be.
                return met(row, end) if row.raw_due_on == end else cancelled_by_end(row, end)

            return (UpdateDeadline(through),)
        case Cancelled(effective_on=end):
            # D1: a notice that ends exactly on E cancels the term's end as well.
            return (UpdateDeadline(lambda row: cancelled_by_end(row, end)),)
        case ContractWithdrawn(ends_on=end):
            return (UpdateDeadline(lambda row: cancelled_by_end(row, end)),)
        case ContractAnnulled():
            return (UpdateDeadline(cancelled),)
        case _:
            return ()


TERM_END = Policy(
    kind="term_end",
    rule="R3",
    listens_to=frozenset(
        {ContractStarted, ContractRenewed, ContractExpired, Cancelled, ContractWithdrawn, ContractAnnulled}
    ),
    react=_update_term_end,
)


def _update_notice_end(recorded: RecordedEvent) -> Sequence[OpenDeadline | UpdateDeadline]:
    """Return what an event makes of the rows of the notice's end."""
    match recorded.event:
        case NoticeReceived(ends_on=end):
            # D2: the R5 date, even where a timely letter ends the contract earlier.
            return (on_the_day(end),)
        case NoticeRevoked():
            return (UpdateDeadline(cancelled),)
        case Cancelled(effective_on=end):
            return (UpdateDeadline(lambda row: met(row, end)),)
        case ContractExpired(ends_on=end) | ContractWithdrawn(ends_on=end):
            return (UpdateDeadline(lambda row: cancelled_by_end(row, end)),)
        case ContractAnnulled():
            return (UpdateDeadline(cancelled),)
        case _:
            return ()


NOTICE_END = Policy(
    kind="notice_end",
    rule="R5",
    listens_to=frozenset(
        {NoticeReceived, NoticeRevoked, Cancelled, ContractExpired, ContractWithdrawn, ContractAnnulled}
    ),
    react=_update_notice_end,
)


def _update_withdrawal_end(recorded: RecordedEvent) -> Sequence[OpenDeadline | UpdateDeadline]:  # noqa: PLR0911 - one return a kind of event
    """Return what an event makes of the row of the withdrawal's end."""
    match recorded.event:
        case ContractStarted(withdrawal_raw_due_on=day) if day is not None:
            return (rolled_forward(day),)
        case WithdrawalPeriodEnded(due_on=due_on):
            return (UpdateDeadline(lambda row: met(row, due_on)),)
        case ContractWithdrawn(received_on=received_on):
            # D6: met by withdrawal, on its receipt, though it may be recorded after the days went by.
            return (UpdateDeadline(lambda row: replace(row, status="met", met_on=received_on)),)
        case Cancelled(effective_on=end):
            return (UpdateDeadline(lambda row: cancelled_by_end(row, end)),)
        case ContractExpired(ends_on=end):
            return (UpdateDeadline(lambda row: cancelled_by_end(row, end)),)
        case ContractAnnulled():
            return (UpdateDeadline(cancelled),)
        case _:
            return ()


WITHDRAWAL_END = Policy(
    kind="withdrawal_end",
    rule="R10",
    listens_to=frozenset(
        {
            ContractStarted,
            WithdrawalPeriodEnded,
            ContractWithdrawn,
            Cancelled,
            ContractExpired,
            ContractAnnulled,
        }
    ),
    react=_update_withdrawal_end,
)


def _update_refund(recorded: RecordedEvent) -> Sequence[OpenDeadline | UpdateDeadline]:  # noqa: PLR0911 - one return a kind of event
    """Return what an event makes of the rows of the refund."""
    match recorded.event:
        case SubmissionCompleted(refund_raw_due_on=day):
            return (rolled_forward(day),)
        case ClaimAccepted(approved_cents=0) | ClaimRejected() | ClaimWithdrawn():
            return (UpdateDeadline(cancelled),)
        case ClaimAccepted(refund_raw_due_on=day) if day is not None:
            # D15: reopened and accepted without a new submission, it counts from the further acceptance.
            return (rolled_forward(day),)
        case RefundIssued(settles=settled):
            # D11: met on the date of the payment's `at`, which is its effective date.
            paid_on = recorded.effective_on
            return (UpdateDeadline(lambda row: met(row, paid_on) if row.seq in settled else row),)
        case RefundFailed(reopens=seqs) | RefundReversed(reopens=seqs):
            return (UpdateDeadline(lambda row: _no_longer_met(row) if row.seq in seqs else row),)
        case ClaimDeadlineMissed(seq=seq):
            return (UpdateDeadline(lambda row: missed(row) if row.seq == seq else row),)
        case _:
            return ()


def _no_longer_met(row: Deadline) -> Deadline:
    # D12, R12: open again if it was met in time; what was missed stays missed, and is met late no more.
    return replace(row, status="open" if row.status == "met" else row.status, met_on=None)


REFUND = Policy(
    kind="refund",
    rule="R7",
    listens_to=frozenset(
        {
            SubmissionCompleted,
            ClaimAccepted,
            ClaimRejected,
            ClaimWithdrawn,
            RefundIssued,
            RefundFailed,
            RefundReversed,
            ClaimDeadlineMissed,
        }
    ),
    react=_update_refund,
)


def _update_acknowledgement(recorded: RecordedEvent) -> Sequence[OpenDeadline | UpdateDeadline]:
    """Return what an event makes of the rows of the acknowledgement."""
    match recorded.event:
        case ComplaintLodged(acknowledgement_due_on=day):
            return (rolled_forward(day),)
        case ComplaintAcknowledged(on=day):
            return (UpdateDeadline(lambda row: met(row, day)),)
        case ComplaintAnswered(on=day):
            # D18: an answer meets an open acknowledgement, not a missed one.
            return (UpdateDeadline(lambda row: met(row, day) if row.status == "open" else row),)
        case ComplaintDeadlineMissed(kind="complaint_acknowledgement", seq=seq):
            return (UpdateDeadline(lambda row: missed(row) if row.seq == seq else row),)
        case ComplaintClosed():
            return (UpdateDeadline(cancelled),)
        case _:
            return ()


COMPLAINT_ACKNOWLEDGEMENT = Policy(
    kind="complaint_acknowledgement",
    rule="R9",
    listens_to=frozenset(
        {
            ComplaintLodged,
            ComplaintAcknowledged,
            ComplaintAnswered,
            ComplaintDeadlineMissed,
            ComplaintClosed,
        }
    ),
    react=_update_acknowledgement,
)


def _update_answer(recorded: RecordedEvent) -> Sequence[OpenDeadline | UpdateDeadline]:
    """Return what an event makes of the rows of the answer."""
    match recorded.event:
        case ComplaintLodged(answer_raw_due_on=day):
            return (rolled_forward(day),)
        case ComplaintAnswered(on=day):
            return (UpdateDeadline(lambda row: met(row, day)),)
        case ComplaintDeadlineMissed(kind="complaint_answer", seq=seq):
            return (UpdateDeadline(lambda row: missed(row) if row.seq == seq else row),)
        case ComplaintClosed():
            return (UpdateDeadline(cancelled),)
        case _:
            return ()


COMPLAINT_ANSWER = Policy(
    kind="complaint_answer",
    rule="R9",
    listens_to=frozenset({ComplaintLodged, ComplaintAnswered, ComplaintDeadlineMissed, ComplaintClosed}),
    react=_update_answer,
)


def _update_opinion(recorded: RecordedEvent) -> Sequence[OpenDeadline | UpdateDeadline]:
    """Return what an event makes of the rows of the opinion."""
    match recorded.event:
        case ComplaintEscalated(opinion_raw_due_on=day):
            return (rolled_forward(day),)
        case OmbudsmanOpinionReceived(on=day):
            return (UpdateDeadline(lambda row: met(row, day)),)
        case ComplaintDeadlineMissed(kind="ombudsman_opinion", seq=seq):
            return (UpdateDeadline(lambda row: missed(row) if row.seq == seq else row),)
        case ComplaintClosed():
            return (UpdateDeadline(cancelled),)
        case _:
            return ()


OMBUDSMAN_OPINION = Policy(
    kind="ombudsman_opinion",
    rule="R9",
    listens_to=frozenset(
        {ComplaintEscalated, OmbudsmanOpinionReceived, ComplaintDeadlineMissed, ComplaintClosed}
    ),
    react=_update_opinion,
)


_CONTRACT_POLICIES = (TERMINATION_LETTER, TERM_END, NOTICE_END, WITHDRAWAL_END)
_CONTRACT_EVENTS = frozenset[type[Event]]().union(*(policy.listens_to for policy in _CONTRACT_POLICIES))


def fold_contract_deadlines(rows: tuple[Deadline, ...], recorded: RecordedEvent) -> tuple[Deadline, ...]:
    """Return all rows of a contract after an event, from all its rows before."""
    return fold_with(_CONTRACT_POLICIES, rows, recorded) if type(recorded.event) in _CONTRACT_EVENTS else rows


_CLAIM_POLICIES = (REFUND,)
_CLAIM_EVENTS = frozenset[type[Event]]().union(*(policy.listens_to for policy in _CLAIM_POLICIES))


def fold_claim_deadlines(rows: tuple[Deadline, ...], recorded: RecordedEvent) -> tuple[Deadline, ...]:
    """Return all rows of a claim after an event, from all its rows before."""
    return fold_with(_CLAIM_POLICIES, rows, recorded) if type(recorded.event) in _CLAIM_EVENTS else rows


_COMPLAINT_POLICIES = (COMPLAINT_ACKNOWLEDGEMENT, COMPLAINT_ANSWER, OMBUDSMAN_OPINION)
_COMPLAINT_EVENTS = frozenset[type[Event]]().union(*(policy.listens_to for policy in _COMPLAINT_POLICIES))


def fold_complaint_deadlines(rows: tuple[Deadline, ...], recorded: RecordedEvent) -> tuple[Deadline, ...]:
    """Return all rows of a complaint after an event, from all its rows before."""
    return (
        fold_with(_COMPLAINT_POLICIES, rows, recorded) if type(recorded.event) in _COMPLAINT_EVENTS else rows
    )


LISTENED_TO: frozenset[type[Event]] = _CONTRACT_EVENTS | _CLAIM_EVENTS | _COMPLAINT_EVENTS
"""The events that move any deadline: no other needs to reach who folds them."""


def fold_deadlines(rows: Sequence[Deadline], recorded: RecordedEvent) -> Sequence[Deadline]:
    """Return all rows of one subject after an event, in order of opening, from all its rows before."""
    before = tuple(rows)
    match recorded.stream.kind:
        case "contract":
            return fold_contract_deadlines(before, recorded)
        case "claim":
            return fold_claim_deadlines(before, recorded)
        case "complaint":
            return fold_complaint_deadlines(before, recorded)
        case unknown:
            assert_never(unknown)
