"""What commands and time make happen to a claim.

A claim never sees a contract, only its `Cover`; what a decision does to the contract comes back as limit
changes and registrations, which the composing side records on the contract's stream.
"""

from collections.abc import Sequence
from datetime import date
from typing import assert_never

from ledger.domain.calendar import refund_raw_due
from ledger.domain.claim.acceptance import accept, correct_incident, move, refuse_uninsured, room_for
from ledger.domain.claim.commands import (
    AcceptClaim,
    AppointExpert,
    CallOffExpert,
    ClaimCommand,
    CloseClaim,
    CompleteSubmission,
    CorrectIncident,
    CoveredClaimCommand,
    GiveAdvice,
    IdentifyClaimant,
    IssueRefund,
    LoneClaimCommand,
    MoveClaim,
    OpenClaim,
    ProvideAssistance,
    ReceiveDocument,
    RecordRecovery,
    RecordRefundFailure,
    RejectClaim,
    ReopenClaim,
    ReportFurtherIncident,
    RequestDocuments,
    ReverseRefund,
    WithdrawClaim,
)
from ledger.domain.claim.events import (
    AdviceGiven,
    AssistanceProvided,
    ClaimantIdentified,
    ClaimClosed,
    ClaimDecision,
    ClaimOpened,
    ClaimRejected,
    ClaimReopened,
    ClaimWithdrawn,
    DocumentReceived,
    DocumentsRequested,
    ExpertAppointed,
    ExpertCalledOff,
    FurtherIncidentReported,
    RecoveryReceived,
    RefundFailed,
    RefundIssued,
    RefundReversed,
    SubmissionCompleted,
    Victim,
)
from ledger.domain.claim.state import Claim, Payment
from ledger.domain.limits import Context, Cover, LimitChange, LimitUse, Registration
from ledger.domain.refusals import (
    AlreadyDecided,
    AlreadySubmitted,
    Exists,
    ExpertStands,
    IncidentInFuture,
    LimitAmount,
    LimitCount,
    NoSuchService,
    NotAccepted,
    NotDecided,
    PersonMismatch,
    RecoveryExceedsRefunded,
    RefundExceedsApproved,
    RefundOwed,
    Unknown,
)


def decide(claim: Claim | None, command: ClaimCommand, context: Context) -> ClaimDecision:
    """Return what a command makes happen to a claim and to its contracts. Raises a Refusal.

    Raises KeyError where the command is decided by the cover of the claim's contract, and none was loaded.
    """
    if isinstance(command, OpenClaim):
        return _open(claim, command, context)
    claim = existing(claim, command)
    if isinstance(command, LoneClaimCommand):
        return _decide_alone(claim, command, context.today)
    if context.cover is None:
        message = f"contract {claim.contract} was not loaded; load what `needs` names"
        raise KeyError(message)
    return _decide_by_cover(claim, command, context, context.cover)


def existing(claim: Claim | None, command: ClaimCommand) -> Claim:
    """Return the claim that a command is about. Raises Unknown where there is none."""
    if claim is None:
        message = f"claim {command.claim} does not exist; check its number"
        raise Unknown(message)
    return claim


def _open(claim: Claim | None, command: OpenClaim, context: Context) -> ClaimDecision:
    # Refused in the order of D8 and D19.
    cover = context.cover
    if cover is None:
        message = f"contract {command.contract} does not exist; check its number"
        raise Unknown(message)
    if claim is not None:
        message = f"claim {command.claim} is already open; take another number"
        raise Exists(message)
    reported_on = command.reported_at or context.today
    _refuse_incident_after(command.occurred_at, reported_on)
    victim = command.victim
    if victim.relation == "policyholder" and victim.person != cover.person:
        message = f"person {victim.person} is not the policyholder of {cover.contract}; check the person"
        raise PersonMismatch(message)
    opened = ClaimOpened(
        contract=command.contract,
        guarantee=command.guarantee,
        cause=command.cause,
        incident_on=command.occurred_at,
        insurance_year=cover.insurance_year_of(command.occurred_at),
        reported_on=reported_on,
        channel=command.channel,
        victim=Victim(
            person=victim.person, name=victim.name, relation=victim.relation, same_roof=victim.same_roof
        ),
        narrative=command.narrative,
    )
    registration = Registration(command.contract, present=True, effective_on=reported_on)
    return ClaimDecision(opened, reported_on, registrations=(registration,))


def _decide_alone(  # noqa: C901, PLR0911 - one return a kind of command
    claim: Claim, command: LoneClaimCommand, today: date
) -> ClaimDecision:
    match command:
        case IdentifyClaimant():
            return ClaimDecision(ClaimantIdentified(method=command.method), today)
        case GiveAdvice():
            return ClaimDecision(AdviceGiven(topics=command.topics), today)
        case ReportFurtherIncident():
            return _report_further_incident(claim, command, today)
        case RequestDocuments():
            return ClaimDecision(DocumentsRequested(documents=command.documents), today)
        case ReceiveDocument():
            return ClaimDecision(DocumentReceived(document=command.document, sha256=command.sha256), today)
        case IssueRefund():
            return _issue_refund(claim, command, today)
        case RecordRefundFailure() | ReverseRefund():
            return _take_back(claim, command, today)
        case RecordRecovery():
            return _record_recovery(claim, command, today)
        case CloseClaim():
            return _close(claim, command, today)
        case ReopenClaim():
            return _reopen(claim, command, today)
        case unknown:
            assert_never(unknown)


def _decide_by_cover(  # noqa: PLR0911 - one return a kind of command
    claim: Claim, command: CoveredClaimCommand, context: Context, cover: Cover
) -> ClaimDecision:
    today = context.today
    match command:
        case ProvideAssistance():
            return _provide_assistance(claim, command, cover, today)
        case AppointExpert():
            return _appoint_expert(claim, command, cover, today)
        case CallOffExpert():
            return _call_off_expert(claim, command, cover, today)
        case CompleteSubmission():
            return _complete_submission(claim, command, cover)
        case AcceptClaim():
            return accept(claim, command, cover, today)
        case RejectClaim():
            return _reject(claim, command, cover, today)
        case WithdrawClaim():
            return _withdraw(claim, cover, today)
        case CorrectIncident():
            _refuse_incident_after(command.occurred_at, claim.reported_on)
            return correct_incident(claim, command.occurred_at, cover)
        case MoveClaim():
            return _move(claim, command, context.other)
        case unknown:
            assert_never(unknown)


def _refuse_incident_after(incident_on: date, reported_on: date) -> None:
    """Raise IncidentInFuture where an incident lies after its report (I16)."""
    if incident_on > reported_on:
        message = (
            f"the incident of {incident_on} lies after its report of {reported_on}; correct one of the two"
        )
        raise IncidentInFuture(message)


def _refuse_decided(claim: Claim) -> None:
    if claim.decided:
        message = f"claim {claim.number} is {claim.status}; reopen it first"
        raise AlreadyDecided(message)


def _refuse_undecided(claim: Claim) -> None:
    if not claim.decided:
        message = f"claim {claim.number} is {claim.status}; accept, reject or withdraw it first"
        raise NotDecided(message)


def _refuse_not_accepted(claim: Claim) -> None:
    if not claim.accepted:
        message = f"claim {claim.number} was never accepted; accept it first"
        raise NotAccepted(message)


def _provide_assistance(claim: Claim, command: ProvideAssistance, cover: Cover, today: date) -> ClaimDecision:
    services = cover.terms.by_guarantee[claim.guarantee].services
    if command.kind not in services:
        given = ", ".join(services) or "no services"
        message = f"guarantee {claim.guarantee} gives {given}; {command.kind} is not among them"
        raise NoSuchService(message)
    return ClaimDecision(AssistanceProvided(kind=command.kind, provider=command.provider), today)


def _appoint_expert(claim: Claim, command: AppointExpert, cover: Cover, today: date) -> ClaimDecision:
    if cover.terms.by_guarantee[claim.guarantee].expert_service is None:
        message = f"guarantee {claim.guarantee} gives no rescue by an expert; data alone does"
        raise NoSuchService(message)
    _refuse_decided(claim)
    if claim.expert_appointed:
        # D14: once a claim, called off or not.
        message = (
            f"an expert was appointed to claim {claim.number} before, and is once a claim; decide the claim"
        )
        raise ExpertStands(message)
    insurance_year = refuse_uninsured(claim, cover)
    room = room_for(claim, cover, insurance_year)
    # D14: a reservation takes one count and all that remains of the amount. A claim that counts already is
    # not spared the count: only its further acceptance is (D15).
    if not room.has_count:
        message = f"insurance year {insurance_year} has no claim left for {claim.guarantee}; reject the claim"
        raise LimitCount(message)
    if not room.has_amount:
        message = (
            f"insurance year {insurance_year} has no amount left for {claim.guarantee}; reject the claim"
        )
        raise LimitAmount(message)
    reserved = LimitUse(insurance_year, room.amount_cents or 0, 1)
    return ClaimDecision(
        ExpertAppointed(provider=command.provider, reserved=reserved),
        today,
        limits=(LimitChange(cover.contract, "reserve", reserved),),
    )


def _call_off_expert(claim: Claim, command: CallOffExpert, cover: Cover, today: date) -> ClaimDecision:
    if claim.reserved is None:
        message = f"no expert is appointed to claim {claim.number}; there is nobody to call off"
        raise Unknown(message)
    failed_rescue, limits = _release(claim, cover)
    event = ExpertCalledOff(provider=command.provider, failed_rescue=failed_rescue)
    return ClaimDecision(event, today, limits=limits)


def _release(claim: Claim, cover: Cover) -> tuple[bool, Sequence[LimitChange]]:
    """End an expert's reservation; a failed rescue consumes one count and no amount (Q11, D14)."""
    if claim.reserved is None:
        return False, ()
    release = LimitChange(cover.contract, "release", claim.reserved)
    if not (claim.rescue_started and cover.terms.readings.failed_rescue_consumes):
        return False, (release,)
    failed = LimitUse(claim.reserved.insurance_year, 0, 1)
    return True, (release, LimitChange(cover.contract, "consume", failed))


def _report_further_incident(claim: Claim, command: ReportFurtherIncident, today: date) -> ClaimDecision:
    if claim.status in ("rejected", "withdrawn"):
        message = f"claim {claim.number} is {claim.status}; reopen it first, or open a new claim"
        raise AlreadyDecided(message)
    # D17: from the first act to `at`; both sides break the same rule of when an incident can have been.
    if not claim.incident_on <= command.occurred_at <= today:
        message = f"a further act lies from {claim.incident_on} to {today}; {command.occurred_at} does not"
        raise IncidentInFuture(message)
    event = FurtherIncidentReported(occurred_on=command.occurred_at, narrative=command.narrative)
    return ClaimDecision(event, today)


def _complete_submission(claim: Claim, command: CompleteSubmission, cover: Cover) -> ClaimDecision:
    _refuse_decided(claim)
    # D9: taken on an open claim, and once after each reopening.
    if claim.status == "submitted" and (claim.resubmitted or not claim.reopened):
        message = f"the submission of claim {claim.number} is complete already; decide the claim"
        raise AlreadySubmitted(message)
    event = SubmissionCompleted(
        completed_on=command.completed_at,
        refund_raw_due_on=refund_raw_due(command.completed_at, cover.terms.periods),
    )
    return ClaimDecision(event, command.completed_at)


def _reject(claim: Claim, command: RejectClaim, cover: Cover, today: date) -> ClaimDecision:
    _refuse_decided(claim)
    failed_rescue, limits = _release(claim, cover)
    event = ClaimRejected(code=command.code, reason=command.reason, failed_rescue=failed_rescue)
    return ClaimDecision(event, today, limits=limits)


def _withdraw(claim: Claim, cover: Cover, today: date) -> ClaimDecision:
    _refuse_decided(claim)
    failed_rescue, limits = _release(claim, cover)
    return ClaimDecision(ClaimWithdrawn(failed_rescue=failed_rescue), today, limits=limits)


def _issue_refund(claim: Claim, command: IssueRefund, today: date) -> ClaimDecision:
    if any(payment.reference == command.payment_reference for payment in claim.payments):
        message = f"payment {command.payment_reference} is recorded already; take another reference"
        raise Exists(message)
    _refuse_not_accepted(claim)
    owed_cents = claim.owed_cents
    amount_cents = owed_cents if command.amount_cents is None else command.amount_cents
    if owed_cents <= 0 or amount_cents > owed_cents:
        message = f"{owed_cents} cents are owed on claim {claim.number}; refund no more than that"
        raise RefundExceedsApproved(message)
    left_cents = owed_cents - amount_cents
    event = RefundIssued(
        amount_cents=amount_cents,
        payment_reference=command.payment_reference,
        iban=command.iban,
        owed_cents=left_cents,
        settles=_settled(claim) if left_cents == 0 else (),
    )
    return ClaimDecision(event, today)


def _settled(claim: Claim) -> tuple[int, ...]:
    """Return the refund rows that a payment of all that is owed meets (D11).

    A row that a new submission opened is met when all *then* approved is paid (D15): it waits.
    """
    waiting = len(claim.deadlines) if claim.resubmitted else 0
    return tuple(
        row.seq
        for row in claim.deadlines
        if row.status in ("open", "missed") and row.met_on is None and row.seq != waiting
    )


def _take_back(claim: Claim, command: RecordRefundFailure | ReverseRefund, today: date) -> ClaimDecision:
    payment = _payment(claim, command.payment_reference)
    event_type = RefundFailed if isinstance(command, RecordRefundFailure) else RefundReversed
    event = event_type(
        payment_reference=payment.reference,
        amount_cents=payment.amount_cents,
        owed_cents=claim.owed_cents + payment.amount_cents,
        reopens=payment.settled,
    )
    return ClaimDecision(event, today)


def _payment(claim: Claim, reference: str) -> Payment:
    # D12: a payment is taken back once; after that there is none.
    for payment in claim.payments:
        if payment.reference == reference and not payment.taken_back:
            return payment
    message = f"claim {claim.number} has no payment {reference} that stands; check the reference"
    raise Unknown(message)


def _record_recovery(claim: Claim, command: RecordRecovery, today: date) -> ClaimDecision:
    """Record what a third party paid back; no more than was refunded (D13)."""
    _refuse_not_accepted(claim)
    if claim.recovered_cents + command.amount_cents > claim.refunded_cents:
        message = (
            f"{claim.refunded_cents} cents were refunded on claim {claim.number}; recover no more than that"
        )
        raise RecoveryExceedsRefunded(message)
    return ClaimDecision(RecoveryReceived(amount_cents=command.amount_cents, payer=command.payer), today)


def _move(claim: Claim, command: MoveClaim, other: Cover | None) -> ClaimDecision:
    if other is None:
        message = f"contract {command.contract} does not exist; check its number"
        raise Unknown(message)
    if command.contract == claim.contract:
        message = f"claim {claim.number} is on contract {claim.contract} already; name another contract"
        raise Exists(message)
    return move(claim, other)


def _close(claim: Claim, command: CloseClaim, today: date) -> ClaimDecision:
    _refuse_undecided(claim)
    if claim.owed_cents > 0:
        message = f"{claim.owed_cents} cents are owed on claim {claim.number}; refund them first"
        raise RefundOwed(message)
    return ClaimDecision(ClaimClosed(reason=command.reason), today)


def _reopen(claim: Claim, command: ReopenClaim, today: date) -> ClaimDecision:
    _refuse_undecided(claim)
    return ClaimDecision(ClaimReopened(reason=command.reason), today)
