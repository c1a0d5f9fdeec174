"""Acceptance and its corrections: what is insured, what room there is, what is approved (I1 to I8, I13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ledger.domain.calendar import refund_raw_due
from ledger.domain.claim.commands import AcceptClaim
from ledger.domain.claim.events import ClaimAccepted, ClaimDecision, ClaimMoved, IncidentCorrected, Standing
from ledger.domain.claim.state import Claim
from ledger.domain.limits import Cover, LimitChange, LimitUse, Registration
from ledger.domain.refusals import (
    AlreadyCompensated,
    AlreadyDecided,
    LimitAmount,
    LimitCount,
    NoIndemnity,
    NotIdentified,
    NotInsuredPerson,
    NotMalware,
    NotSubmitted,
    OutsideCover,
    RefundExceedsApproved,
)


@dataclass(frozen=True, slots=True)
class RemainingLimit:
    """What a limit leaves to one claim; None where there is no limit."""

    insurance_year: int
    amount_cents: int | None
    count: int | None

    @property
    def has_count(self) -> bool:
        """Whether one more claim counts within the limit."""
        return self.count is None or self.count >= 1

    @property
    def has_amount(self) -> bool:
        """Whether any amount is left."""
        return self.amount_cents is None or self.amount_cents > 0

    def less(self, holding: LimitUse) -> "RemainingLimit":
        """Return what is left once a holding is taken as well."""
        return RemainingLimit(
            self.insurance_year,
            None if self.amount_cents is None else self.amount_cents - holding.amount_cents,
            None if self.count is None else self.count - holding.count,
        )


def room_for(claim: Claim, cover: Cover, insurance_year: int, own: Sequence[LimitUse] = ()) -> RemainingLimit:
    """Return the room that a year's limit leaves; `own` holdings of the claim do not count against it."""
    limits = cover.terms.by_guarantee[claim.guarantee]
    usage = cover.usage(insurance_year, claim.guarantee)
    amount_used = usage.amount_consumed_cents + usage.amount_reserved_cents
    count_used = usage.count_consumed + usage.count_reserved
    for holding in own:
        if holding.insurance_year == insurance_year:
            amount_used -= holding.amount_cents
            count_used -= holding.count
    return RemainingLimit(
        insurance_year,
        None if limits.amount_limit_cents is None else limits.amount_limit_cents - amount_used,
        None if limits.count_limit is None else limits.count_limit - count_used,
    )


def refuse_outside_cover(incident_on: date, cover: Cover) -> int:
    """Return the insurance year of an incident (I7). Raises OutsideCover (I4)."""
    insurance_year = cover.insurance_year_of(incident_on)
    if insurance_year is None or not cover.includes(incident_on):
        message = (
            f"the incident of {incident_on} lies outside the cover of {cover.contract}, "
            f"{cover.starts_on} until {cover.ends_on}; reject the claim, or correct it"
        )
        raise OutsideCover(message)
    return insurance_year


def refuse_uninsured(claim: Claim, cover: Cover) -> int:
    """Return an insured incident's insurance year; refuse by I13 from NOT_INSURED_PERSON to NOT_MALWARE."""
    if not cover.terms.insures(claim.relation, same_roof=claim.same_roof):
        message = "the victim is neither the policyholder nor family under the same roof; reject the claim"
        raise NotInsuredPerson(message)
    insurance_year = refuse_outside_cover(claim.incident_on, cover)
    only_cause = cover.terms.by_guarantee[claim.guarantee].only_cause
    if only_cause is not None and claim.cause != only_cause:
        message = f"guarantee {claim.guarantee} answers for {only_cause}, not {claim.cause}; reject the claim"
        raise NotMalware(message)
    return insurance_year


def accept(claim: Claim, command: AcceptClaim, cover: Cover, today: date) -> ClaimDecision:
    """Accept a claim, or refuse by the first check of I13 that fails, in its order."""
    _refuse_undecidable(claim)
    insurance_year = refuse_uninsured(claim, cover)
    net_cents = _net_loss(claim, command, cover)
    # D14: a claim's own reservation never counts against it.
    own = () if claim.reserved is None else (claim.reserved,)
    room = room_for(claim, cover, insurance_year, own)
    # D15: a claim that counts already is not counted again.
    count = 0 if claim.counts else 1
    approved_cents = _approved(room, net_cents, count, claim.guarantee)
    consumed = LimitUse(insurance_year, approved_cents, count)
    excess_cents = net_cents - approved_cents
    # D15: reopened without a new submission, the refund counts from this acceptance.
    # Nothing approved owes nothing: no row.
    counts_from_acceptance = claim.reopened and not claim.resubmitted and approved_cents > 0
    event = ClaimAccepted(
        loss_cents=command.loss_cents,
        already_compensated_cents=command.already_compensated_cents,
        approved_cents=approved_cents,
        excess_cents=excess_cents,
        capped_by="LIMIT_AMOUNT" if excess_cents > 0 else None,
        consumed=consumed,
        refund_raw_due_on=refund_raw_due(today, cover.terms.periods) if counts_from_acceptance else None,
    )
    released = [LimitChange(cover.contract, "release", holding) for holding in own]
    consumption = LimitChange(cover.contract, "consume", consumed, accepted=True)
    return ClaimDecision(event, today, limits=[*released, consumption])


def _refuse_undecidable(claim: Claim) -> None:
    if not claim.identified:
        message = f"the claimant of {claim.number} is not identified; identify the claimant first"
        raise NotIdentified(message)
    if not claim.submitted:
        message = f"the submission of {claim.number} is not complete; complete it first"
        raise NotSubmitted(message)
    if claim.decided:
        message = f"claim {claim.number} is {claim.status}; reopen it first"
        raise AlreadyDecided(message)


def _net_loss(claim: Claim, command: AcceptClaim, cover: Cover) -> int:
    """Return the loss less what others paid, in cents. Raises NoIndemnity and AlreadyCompensated (I13)."""
    guarantee = cover.terms.by_guarantee[claim.guarantee]
    if not guarantee.indemnity and command.loss_cents > 0:
        message = f"guarantee {claim.guarantee} gives services only; accept with loss_cents 0"
        raise NoIndemnity(message)
    # D14: a rescue without loss may be accepted with loss 0, once the expert has started.
    needs_loss = guarantee.indemnity and not (guarantee.expert_service is not None and claim.rescue_started)
    if needs_loss and command.loss_cents == 0:
        message = f"guarantee {claim.guarantee} pays a loss; give loss_cents above 0, or reject the claim"
        raise NoIndemnity(message)
    net_cents = command.loss_cents - command.already_compensated_cents
    if net_cents < 0 or (net_cents == 0 and command.loss_cents > 0):
        message = f"others have paid all of the loss of {claim.number}; reject the claim"
        raise AlreadyCompensated(message)
    return net_cents


def _approved(room: RemainingLimit, net_cents: int, count: int, guarantee: str) -> int:
    """Return what the room lets be approved of a loss (I8). Raises LimitCount and LimitAmount."""
    if count > 0 and not room.has_count:
        message = f"insurance year {room.insurance_year} has no claim left for {guarantee}; reject the claim"
        raise LimitCount(message)
    if net_cents > 0 and not room.has_amount:
        message = f"insurance year {room.insurance_year} has no amount left for {guarantee}; reject the claim"
        raise LimitAmount(message)
    return net_cents if room.amount_cents is None else min(net_cents, room.amount_cents)


def correct_incident(claim: Claim, incident_on: date, cover: Cover) -> ClaimDecision:
    """Correct the day of the incident; an accepted claim is computed afresh at its new day (D16)."""
    if not claim.accepted:
        # D16: it changes the date only; what a failed rescue consumed stays where it is.
        event = IncidentCorrected(
            incident_on=incident_on,
            insurance_year=cover.insurance_year_of(incident_on),
            consumed=claim.consumed,
        )
        return ClaimDecision(event, claim.reported_on)
    insurance_year = refuse_outside_cover(incident_on, cover)
    # I1 comes before all: unlike its consumption, a reservation that stays does count.
    room = room_for(claim, cover, insurance_year, claim.consumed)
    standing, consumed = _afresh(claim, room)
    event = IncidentCorrected(
        incident_on=incident_on, insurance_year=insurance_year, standing=standing, consumed=(consumed,)
    )
    limits = [
        *_reversed(claim),
        LimitChange(cover.contract, "consume", consumed, claim.consumed_on, accepted=True),
    ]
    return ClaimDecision(event, claim.reported_on, limits=limits)


def move(claim: Claim, other: Cover) -> ClaimDecision:
    """Move a claim to another contract; what its acceptance consumed is reversed there, taken here (D16).

    On a claim not accepted it changes the contract only. What a failed rescue consumed was spent under the
    old contract and stays there (Q5, Q11). A standing reservation goes along as far as the new contract has
    room, for later decisions look at that contract alone.
    """
    limits: list[LimitChange] = []
    standing: Standing | None = None
    consumed: tuple[LimitUse, ...] = ()
    insurance_year = other.insurance_year_of(claim.incident_on)
    if claim.accepted:
        insurance_year = refuse_outside_cover(claim.incident_on, other)
        standing, afresh = _afresh(claim, room_for(claim, other, insurance_year))
        consumed = (afresh,)
        limits = [
            *_reversed(claim),
            LimitChange(other.contract, "consume", afresh, claim.consumed_on, accepted=True),
        ]
    reserved = _reserved_anew(claim, other, consumed)
    if claim.reserved is not None:
        limits.append(LimitChange(claim.contract, "release", claim.reserved, claim.reserved_on))
    if reserved is not None:
        limits.append(LimitChange(other.contract, "reserve", reserved, claim.reserved_on))
    event = ClaimMoved(
        from_contract=claim.contract,
        contract=other.contract,
        insurance_year=insurance_year,
        standing=standing,
        consumed=consumed,
        reserved=reserved,
    )
    registrations = (
        Registration(claim.contract, present=False, effective_on=claim.reported_on),
        Registration(other.contract, present=True, effective_on=claim.reported_on),
    )
    return ClaimDecision(event, claim.reported_on, limits=limits, registrations=registrations)


def _reserved_anew(claim: Claim, other: Cover, consumed: Sequence[LimitUse]) -> LimitUse | None:
    """Return what another contract can reserve for a claim whose expert stands; None: no room or cover."""
    insurance_year = other.insurance_year_of(claim.incident_on)
    if claim.reserved is None or insurance_year is None or not other.includes(claim.incident_on):
        return None
    room = room_for(claim, other, insurance_year)
    for holding in consumed:
        room = room.less(holding)
    if not (room.has_count and room.has_amount):
        return None
    return LimitUse(insurance_year, room.amount_cents or 0, 1)


def _afresh(claim: Claim, room: RemainingLimit) -> tuple[Standing, LimitUse]:
    """Compute approved and excess afresh. Raises LimitCount, LimitAmount, RefundExceedsApproved."""
    net_cents = claim.loss_cents - claim.compensated_cents
    approved_cents = _approved(room, net_cents, 1, claim.guarantee)
    if approved_cents < claim.refunded_cents:
        message = (
            f"{claim.refunded_cents} cents are refunded on {claim.number}, "
            f"and only {approved_cents} would be approved; reverse refunds first"
        )
        raise RefundExceedsApproved(message)
    excess_cents = net_cents - approved_cents
    standing = Standing(
        approved_cents=approved_cents,
        excess_cents=excess_cents,
        capped_by="LIMIT_AMOUNT" if excess_cents > 0 else None,
    )
    return standing, LimitUse(room.insurance_year, approved_cents, 1)


def _reversed(claim: Claim) -> list[LimitChange]:
    # Dated as the consumption that it corrects, so that `--on` never sees one without the other.
    return [LimitChange(claim.contract, "reverse", holding, claim.consumed_on) for holding in claim.consumed]
