"""Refunds against the 15 days (R7): a row for each complete submission of each claim, paid or not."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final, NamedTuple, get_args

from pydantic import TypeAdapter

from ledger.domain.claim.events import ClaimEvent, ClaimMoved, SubmissionCompleted
from ledger.domain.claim.state import Claim
from ledger.domain.codes import GUARANTEES, DeadlineStatus
from ledger.domain.deadlines import Deadline
from ledger.feed.reader import FeedEvent
from projections.listing import (
    POSITION,
    ApprovedCents,
    ClaimNumber,
    Column,
    ContractNumber,
    DueOn,
    Filter,
    GuaranteeCode,
    Listing,
    OwedCents,
    RawDueOn,
    RefundedCents,
    RowNumber,
    Status,
)
from projections.runner.registers import folded, read_state, state_text
from projections.runner.view import Folded, Since, Table, View


class RefundRow(NamedTuple):
    """One obligation to refund. Amounts, in cents, are the claim's when the row last changed."""

    claim: ClaimNumber
    number: RowNumber
    """A further one after a reopening (D15)."""
    opened_position: int
    contract: ContractNumber
    guarantee: GuaranteeCode
    submitted_on: Annotated[date, Column("Submitted", "day", "From when the days of the refund count.")]
    """The complete submission, or a further acceptance without one (D15)."""
    raw_due_on: RawDueOn
    due_on: DueOn
    status: Status
    approved_cents: ApprovedCents
    refunded_cents: RefundedCents
    owed_cents: OwedCents
    settled_on: Annotated[
        date | None,
        Column("Settled", "day", "When all that was approved then had been paid; null: not yet."),
    ]
    days_allowed: Annotated[int, Column("", "number", "Calendar days from submitted_on to raw_due_on.", "of")]
    days_taken: Annotated[
        int | None,
        Column("Days taken", "number", "Calendar days from submitted_on to settled_on; null: not settled."),
    ]
    in_time: Annotated[
        bool | None,
        Column(help="Whether it was settled by due_on; null: still open, or nothing was to be paid."),
    ]


class Refunds(NamedTuple):
    """A claim, and from when each of its refunds counts."""

    opened_position: int
    claim: Claim
    counted_from: tuple[date, ...] = ()


TABLE = Table("projections.refunds", RefundRow._fields, identity=2)

_IN_TIME = {"met": True, "missed": False}
_DATES = TypeAdapter(tuple[date, ...])


def fold(refunds: Refunds | None, event: FeedEvent, _: Since) -> Folded[Refunds] | None:
    """Fold one event of a claim."""
    claim = folded(None if refunds is None else refunds.claim, event)
    if not isinstance(claim, Claim):
        # Folded for a date on which the claim had not begun.
        return None
    before = Refunds(event.position, claim) if refunds is None else refunds
    after = before._replace(claim=claim)
    if len(_deadlines(claim)) > len(before.counted_from):
        after = after._replace(counted_from=(*before.counted_from, _counted_from(event)))
    return Folded(after, [] if refunds is None else _changed(refunds, after, event))


def _counted_from(event: FeedEvent) -> date:
    completed = event.event
    return completed.completed_on if isinstance(completed, SubmissionCompleted) else event.effective_on


def _changed(before: Refunds, after: Refunds, event: FeedEvent) -> list[RefundRow]:
    """Return the rows whose days changed, the newest whose amounts did; all, where the claim was moved."""
    known, now = _deadlines(before.claim), _deadlines(after.claim)
    moved = isinstance(event.event, ClaimMoved)
    amounts = _amounts(before.claim) != _amounts(after.claim)
    return [
        _row(after, number, deadline)
        for number, deadline in enumerate(now, 1)
        if moved or number > len(known) or deadline != known[number - 1] or (amounts and number == len(now))
    ]


def _deadlines(claim: Claim) -> Sequence[Deadline]:
    return [deadline for deadline in claim.deadlines if deadline.kind == "refund"]


def _amounts(claim: Claim) -> tuple[int, int]:
    return claim.approved_cents, claim.refunded_cents


def _row(refunds: Refunds, number: int, deadline: Deadline) -> RefundRow:
    claim, submitted_on = refunds.claim, refunds.counted_from[number - 1]
    settled_on = deadline.met_on
    return RefundRow(
        claim.number,
        number,
        refunds.opened_position,
        claim.contract,
        claim.guarantee,
        submitted_on,
        deadline.raw_due_on,
        deadline.due_on,
        deadline.status,
        claim.approved_cents,
        claim.refunded_cents,
        claim.owed_cents,
        settled_on,
        (deadline.raw_due_on - submitted_on).days,
        None if settled_on is None else (settled_on - submitted_on).days,
        _IN_TIME.get(deadline.status),
    )


def _to_text(refunds: Refunds) -> str:
    counted_from = _DATES.dump_json(refunds.counted_from).decode()
    return f"{refunds.opened_position} {counted_from} {state_text(refunds.claim)}"


def _from_text(text: str) -> Refunds:
    opened_position, counted_from, state = text.split(" ", 2)
    claim = read_state("claim", state)
    if not isinstance(claim, Claim):
        raise TypeError(state)
    return Refunds(int(opened_position), claim, _DATES.validate_json(counted_from))


REFUNDS: View[Refunds] = View(
    name="refunds",
    types=frozenset(event.stable_name for event in ClaimEvent.__subclasses__()),
    table=TABLE,
    key_of=lambda event: event.stream.name,
    fold=fold,
    to_text=_to_text,
    from_text=_from_text,
)


LISTED: Final = Listing(
    name="refunds",
    summary="Refunds with the days that they took against those allowed (R7)",
    row=RefundRow,
    of=REFUNDS,
    is_report=True,
    order=("opened_position", "number"),
    filters=(
        Filter("contract", "Only of this contract."),
        Filter("claim", "Only of this claim."),
        Filter("guarantee", "Only of claims under this guarantee.", choices=GUARANTEES),
        Filter("before", "Only what was due before this date.", "due_on < %(before)s"),
        Filter("status", "Only with this status.", choices=get_args(DeadlineStatus)),
    ),
    computed=(POSITION,),
    columns_in_order="claim number contract guarantee status submitted_on raw_due_on due_on settled_on"
    " days_allowed days_taken in_time approved_cents refunded_cents owed_cents position",
    table="claim contract guarantee status submitted_on due_on settled_on days_taken days_allowed"
    " approved_cents refunded_cents owed_cents",
    left_out="refunded_cents guarantee contract days_allowed due_on settled_on",
    page="claim contract guarantee status submitted_on due_on settled_on days_taken approved_cents owed_cents"
    " position",
)
