"""What happens to a claim.

What a decision on a claim comes to, on the claim and on contracts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from ledger.domain.codes import Assistance, Cause, ClaimChannel, ExclusionCode, Guarantee, Relation
from ledger.domain.event import DeadlineMissed, Event, Personal
from ledger.domain.identifiers import Code, ContractNumber, PaymentReference, Person, Sha256
from ledger.domain.limits import LimitChange, LimitUse, Registration


class ClaimEvent(Event):
    """Anything that a claim's stream holds."""


class Victim(BaseModel):
    """To whom it happened."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    person: Person
    name: Personal[str]
    relation: Relation
    same_roof: bool


class ClaimOpened(ClaimEvent):
    """Somebody reported an incident."""

    stable_name: ClassVar[str] = "claim.ClaimOpened"

    contract: ContractNumber
    guarantee: Guarantee
    cause: Cause
    incident_on: date
    insurance_year: int | None
    """The insurance year of the incident; None before S (I7, D10)."""
    reported_on: date
    channel: ClaimChannel
    victim: Victim
    narrative: Personal[str] | None = None


class ClaimantIdentified(ClaimEvent):
    """The assistance team knows whom it speaks to."""

    stable_name: ClassVar[str] = "claim.ClaimantIdentified"

    method: Code


class AdviceGiven(ClaimEvent):
    """The claimant was told how to be better protected."""

    stable_name: ClassVar[str] = "claim.AdviceGiven"

    topics: tuple[Code, ...]


class AssistanceProvided(ClaimEvent):
    """A service of the guarantee was given."""

    stable_name: ClassVar[str] = "claim.AssistanceProvided"

    kind: Assistance
    provider: Code


class ExpertAppointed(ClaimEvent):
    """An expert was appointed to rescue data; room in the limits is reserved (D14)."""

    stable_name: ClassVar[str] = "claim.ExpertAppointed"

    provider: Code
    reserved: LimitUse


class ExpertCalledOff(ClaimEvent):
    """The expert was called off; `failed_rescue` where the expert had started (Q11)."""

    stable_name: ClassVar[str] = "claim.ExpertCalledOff"

    provider: Code
    failed_rescue: bool


class FurtherIncidentReported(ClaimEvent):
    """A further act of the same series: same claim, no further count (Q4, D17)."""

    stable_name: ClassVar[str] = "claim.FurtherIncidentReported"

    occurred_on: date
    narrative: Personal[str] | None = None


class DocumentsRequested(ClaimEvent):
    """The claimant was asked for documents."""

    stable_name: ClassVar[str] = "claim.DocumentsRequested"

    documents: tuple[Code, ...]


class DocumentReceived(ClaimEvent):
    """A document came in; its hash is kept, not its bytes."""

    stable_name: ClassVar[str] = "claim.DocumentReceived"

    document: Code
    sha256: Sha256


class SubmissionCompleted(ClaimEvent):
    """The claim was complete: the days of the refund run (Q10)."""

    stable_name: ClassVar[str] = "claim.SubmissionCompleted"

    completed_on: date
    refund_raw_due_on: date


class ClaimAccepted(ClaimEvent):
    """The claim was accepted. After a reopening the amounts are the further ones (I14)."""

    stable_name: ClassVar[str] = "claim.ClaimAccepted"

    loss_cents: int
    already_compensated_cents: int
    approved_cents: int
    excess_cents: int
    capped_by: Literal["LIMIT_AMOUNT"] | None
    consumed: LimitUse
    """Amount and count that this acceptance consumes; count 0 where the claim counts already (D15)."""
    refund_raw_due_on: date | None = None
    """Filled where the refund counts from this acceptance: reopened, without a new submission (D15)."""


class ClaimRejected(ClaimEvent):
    """The claim was rejected; `failed_rescue` where an expert had started (Q11)."""

    stable_name: ClassVar[str] = "claim.ClaimRejected"

    code: ExclusionCode
    reason: Personal[str] | None = None
    failed_rescue: bool = False


class ClaimWithdrawn(ClaimEvent):
    """The claimant took the claim back; `failed_rescue` where an expert had started (Q11)."""

    stable_name: ClassVar[str] = "claim.ClaimWithdrawn"

    failed_rescue: bool = False


class RefundIssued(ClaimEvent):
    """Money left the insurer for the payee of an accepted claim."""

    stable_name: ClassVar[str] = "claim.RefundIssued"

    amount_cents: int
    payment_reference: PaymentReference
    iban: Personal[str] | None = None
    owed_cents: int
    """What is still owed after it."""
    settles: tuple[int, ...] = ()
    """The refund rows, by `seq`, that it meets (D11)."""


class RefundFailed(ClaimEvent):
    """A payment came back."""

    stable_name: ClassVar[str] = "claim.RefundFailed"

    payment_reference: PaymentReference
    amount_cents: int
    owed_cents: int
    reopens: tuple[int, ...] = ()
    """The refund rows, by `seq`, that it had met and that are no longer met (D12)."""


class RefundReversed(ClaimEvent):
    """The insurer took a payment back."""

    stable_name: ClassVar[str] = "claim.RefundReversed"

    payment_reference: PaymentReference
    amount_cents: int
    owed_cents: int
    reopens: tuple[int, ...] = ()
    """The refund rows, by `seq`, that it had met and that are no longer met (D12)."""


class RecoveryReceived(ClaimEvent):
    """A third party paid the insurer back; no limit is given back (I12)."""

    stable_name: ClassVar[str] = "claim.RecoveryReceived"

    amount_cents: int
    payer: Code


class Standing(BaseModel):
    """How an accepted claim stands after a correction, computed afresh (D16)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    approved_cents: int
    excess_cents: int
    capped_by: Literal["LIMIT_AMOUNT"] | None


class IncidentCorrected(ClaimEvent):
    """The incident was on another day than recorded."""

    stable_name: ClassVar[str] = "claim.IncidentCorrected"

    incident_on: date
    insurance_year: int | None
    standing: Standing | None = None
    """Filled on a claim that was accepted."""
    consumed: tuple[LimitUse, ...] = ()
    """What the claim has consumed from now on."""


class ClaimMoved(ClaimEvent):
    """The claim belongs to another contract than recorded."""

    stable_name: ClassVar[str] = "claim.ClaimMoved"

    from_contract: ContractNumber
    contract: ContractNumber
    insurance_year: int | None
    standing: Standing | None = None
    """Filled on a claim that was accepted."""
    consumed: tuple[LimitUse, ...] = ()
    """What the claim has consumed from now on, of the new contract."""
    reserved: LimitUse | None = None
    """What is reserved for the claim from now on, of the new contract."""


class ClaimClosed(ClaimEvent):
    """Nothing is left to do on a decided claim."""

    stable_name: ClassVar[str] = "claim.ClaimClosed"

    reason: str


class ClaimReopened(ClaimEvent):
    """A decided claim is to be decided again (I14)."""

    stable_name: ClassVar[str] = "claim.ClaimReopened"

    reason: str


class ClaimDeadlineMissed(DeadlineMissed, ClaimEvent):
    """A due date of the claim went by."""

    stable_name: ClassVar[str] = "claim.DeadlineMissed"


class ClaimSubjectErased(ClaimEvent):
    """The victim's key was destroyed."""

    stable_name: ClassVar[str] = "claim.SubjectErased"

    person: Person


@dataclass(frozen=True, slots=True)
class ClaimDecision:
    """One event of the claim with its effective date, and what goes with it on contracts, in order."""

    event: ClaimEvent
    effective_on: date
    limits: Sequence[LimitChange] = ()
    registrations: Sequence[Registration] = ()
