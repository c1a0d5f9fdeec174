"""A claim as its events leave it."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from ledger.domain.claim.events import (
    AssistanceProvided,
    ClaimAccepted,
    ClaimantIdentified,
    ClaimClosed,
    ClaimMoved,
    ClaimOpened,
    ClaimRejected,
    ClaimReopened,
    ClaimWithdrawn,
    ExpertAppointed,
    ExpertCalledOff,
    IncidentCorrected,
    RecoveryReceived,
    RefundFailed,
    RefundIssued,
    RefundReversed,
    SubmissionCompleted,
)
from ledger.domain.codes import Cause, ClaimStatus, ExclusionCode, Guarantee, Relation
from ledger.domain.deadlines import Deadline, fold_deadlines
from ledger.domain.event import Event, RecordedEvent
from ledger.domain.identifiers import StreamRef
from ledger.domain.limits import LimitUse


@dataclass(frozen=True, slots=True)
class Payment:
    """One refund paid; taken back where it failed or was reversed (D12)."""

    reference: str
    amount_cents: int
    settled: tuple[int, ...]
    """The refund rows that it met."""
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim: what happened to whom, how it was decided, what was paid."""

    number: str
    contract: str
    guarantee: Guarantee
    cause: Cause
    person: str
    relation: Relation
    same_roof: bool
    reported_on: date
    incident_on: date
    insurance_year: int | None
    """That of the incident; None before S (D10)."""
    deadlines: tuple[Deadline, ...]
    last_at: datetime
    status: ClaimStatus = "open"
    rejection_code: ExclusionCode | None = None
    identified: bool = False
    submitted: bool = False
    """True once the submission was ever complete; it stays so through reopenings (I14)."""
    reopened: bool = False
    """True from a reopening until the next decision."""
    resubmitted: bool = False
    """True from a new submission after a reopening until the next decision (D15)."""
    accepted: bool = False
    """True once an acceptance was ever recorded (D11)."""
    loss_cents: int = 0
    compensated_cents: int = 0
    approved_cents: int = 0
    excess_cents: int = 0
    capped_by: Literal["LIMIT_AMOUNT"] | None = None
    refunded_cents: int = 0
    recovered_cents: int = 0
    payments: tuple[Payment, ...] = ()
    expert_appointed: bool = False
    """True once an expert was ever appointed (D14)."""
    reserved: LimitUse | None = None
    """What is reserved while an expert stands (D14)."""
    rescue_started: bool = False
    reserved_on: date | None = None
    consumed: tuple[LimitUse, ...] = ()
    """What the claim has consumed of its contract's limits, at most one holding a year."""
    consumed_on: date | None = None
    """The effective date of the latest consumption: that of what a correction corrects."""

    @property
    def ref(self) -> StreamRef:
        """The claim's stream."""
        return StreamRef("claim", self.number)

    @property
    def decided(self) -> bool:
        """Whether the claim is accepted, rejected, withdrawn or closed (D9)."""
        return self.status not in ("open", "submitted")

    @property
    def counts(self) -> bool:
        """Whether the claim counts already, in whatever year (I6, D15)."""
        return any(holding.count > 0 for holding in self.consumed)

    @property
    def owed_cents(self) -> int:
        """What is approved and not paid, in cents."""
        return self.approved_cents - self.refunded_cents


def apply(claim: Claim | None, recorded: RecordedEvent) -> Claim | None:
    """Fold one fact into the claim. Never refuses: it has already happened.

    None before ClaimOpened: `--on` an earlier date may leave out the opening and keep what comes before.
    """
    event = recorded.event
    if isinstance(event, ClaimOpened):
        return _opened(recorded, event)
    return None if claim is None else _after(claim, recorded)


def _after(claim: Claim, recorded: RecordedEvent) -> Claim:
    """Fold one fact into a claim that has begun."""
    event = recorded.event
    told = replace(
        claim,
        deadlines=fold_deadlines(claim.deadlines, recorded),
        last_at=max(claim.last_at, recorded.at),
    )
    return _changed(told, event, recorded.effective_on)


def _opened(recorded: RecordedEvent, event: ClaimOpened) -> Claim:
    return Claim(
        number=recorded.stream.number,
        contract=event.contract,
        guarantee=event.guarantee,
        cause=event.cause,
        person=event.victim.person,
        relation=event.victim.relation,
        same_roof=event.victim.same_roof,
        reported_on=event.reported_on,
        incident_on=event.incident_on,
        insurance_year=event.insurance_year,
        deadlines=fold_deadlines((), recorded),
        last_at=recorded.at,
    )


def _changed(  # noqa: C901, PLR0911, PLR0912 - one return a kind of event
    claim: Claim, event: Event, effective_on: date
) -> Claim:
    match event:
        case ClaimantIdentified():
            return replace(claim, identified=True)
        case AssistanceProvided():
            # D14: the expert has started once data recovery is recorded.
            return replace(claim, rescue_started=claim.rescue_started or event.kind == "data_recovery")
        case ExpertAppointed():
            return replace(claim, expert_appointed=True, reserved=event.reserved, reserved_on=effective_on)
        case ExpertCalledOff():
            return _released(claim, effective_on, failed_rescue=event.failed_rescue)
        case SubmissionCompleted():
            return replace(claim, status="submitted", submitted=True, resubmitted=claim.reopened)
        case ClaimAccepted():
            return _accepted(claim, event, effective_on)
        case ClaimRejected():
            released = _released(claim, effective_on, failed_rescue=event.failed_rescue)
            return replace(
                released, status="rejected", rejection_code=event.code, reopened=False, resubmitted=False
            )
        case ClaimWithdrawn():
            released = _released(claim, effective_on, failed_rescue=event.failed_rescue)
            return replace(released, status="withdrawn", reopened=False, resubmitted=False)
        case RefundIssued():
            payment = Payment(event.payment_reference, event.amount_cents, event.settles)
            return replace(
                claim,
                refunded_cents=claim.refunded_cents + event.amount_cents,
                payments=(*claim.payments, payment),
            )
        case RefundFailed() | RefundReversed():
            return replace(
                claim,
                refunded_cents=claim.refunded_cents - event.amount_cents,
                payments=tuple(
                    replace(p, taken_back=True) if p.reference == event.payment_reference else p
                    for p in claim.payments
                ),
            )
        case RecoveryReceived():
            return replace(claim, recovered_cents=claim.recovered_cents + event.amount_cents)
        case IncidentCorrected():
            moved = replace(claim, incident_on=event.incident_on, insurance_year=event.insurance_year)
            return _recomputed(moved, event)
        case ClaimMoved():
            moved = replace(
                claim,
                contract=event.contract,
                insurance_year=event.insurance_year,
                reserved=event.reserved,
            )
            return _recomputed(moved, event)
        case ClaimClosed():
            return replace(claim, status="closed")
        case ClaimReopened():
            # I14: submitted again if it ever was, else open.
            status: ClaimStatus = "submitted" if claim.submitted else "open"
            return replace(claim, status=status, rejection_code=None, reopened=True, resubmitted=False)
        case _:
            return claim


def _accepted(claim: Claim, event: ClaimAccepted, effective_on: date) -> Claim:
    # I14, D15: after a reopening the amounts are further ones, so each acceptance adds.
    return replace(
        claim,
        status="accepted",
        reopened=False,
        resubmitted=False,
        accepted=True,
        loss_cents=claim.loss_cents + event.loss_cents,
        compensated_cents=claim.compensated_cents + event.already_compensated_cents,
        approved_cents=claim.approved_cents + event.approved_cents,
        excess_cents=claim.excess_cents + event.excess_cents,
        capped_by=event.capped_by or claim.capped_by,
        reserved=None,
        reserved_on=None,
        consumed=_with(claim.consumed, event.consumed),
        consumed_on=effective_on,
    )


def _released(claim: Claim, effective_on: date, *, failed_rescue: bool) -> Claim:
    """End the expert's reservation; a failed rescue consumes its one count and no amount (Q11)."""
    released = replace(claim, reserved=None, reserved_on=None)
    if claim.reserved is None or not failed_rescue:
        return released
    failed = LimitUse(claim.reserved.insurance_year, 0, 1)
    return replace(released, consumed=_with(claim.consumed, failed), consumed_on=effective_on)


def _recomputed(claim: Claim, event: IncidentCorrected | ClaimMoved) -> Claim:
    if not claim.consumed:
        # `--on` a date before the acceptance leaves it out: there is nothing to compute afresh yet.
        return claim
    standing = event.standing
    if standing is None:
        return replace(claim, consumed=event.consumed)
    if standing.approved_cents + standing.excess_cents != claim.loss_cents - claim.compensated_cents:
        # `--on` a date before a further acceptance: what is computed afresh counts from the latest one on,
        # in the contract's limits too.
        return claim
    return replace(
        claim,
        consumed=event.consumed,
        approved_cents=standing.approved_cents,
        excess_cents=standing.excess_cents,
        capped_by=standing.capped_by,
    )


def _with(holdings: tuple[LimitUse, ...], further: LimitUse) -> tuple[LimitUse, ...]:
    """Add a holding to those of other years, or to that of the same year."""
    others = tuple(h for h in holdings if h.insurance_year != further.insurance_year)
    amount = sum(h.amount_cents for h in holdings if h.insurance_year == further.insurance_year)
    count = sum(h.count for h in holdings if h.insurance_year == further.insurance_year)
    return (
        *others,
        LimitUse(further.insurance_year, amount + further.amount_cents, count + further.count),
    )
