"""What can be asked of a claim."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from ledger.domain.codes import Assistance, Cause, ClaimChannel, ExclusionCode, Guarantee, Relation
from ledger.domain.command import Command, Moment
from ledger.domain.identifiers import (
    ClaimNumber,
    Code,
    ContractNumber,
    FreeText,
    New,
    PaymentReference,
    PersonName,
    Sha256,
)
from ledger.domain.money import Cents, Iban, NewPaymentReference, PaidCents

Codes = Annotated[tuple[Code, ...], Field(min_length=1, max_length=100)]


class VictimGiven(BaseModel):
    """To whom it happened."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    person: New
    name: PersonName
    relation: Relation
    same_roof: bool


class OpenClaim(Command):
    """Record an incident that somebody reports."""

    not_after_at: ClassVar[tuple[str, ...]] = ("reported_at",)

    claim: New
    contract: ContractNumber
    guarantee: Guarantee
    cause: Cause
    occurred_at: Moment
    reported_at: Moment | None = None
    """None: `at` (D8)."""
    channel: ClaimChannel
    victim: VictimGiven
    narrative: FreeText | None = None

    @property
    def makes(self) -> Mapping[str, str]:
        """The claim and its victim, unless that is the policyholder, who is there."""
        victim = {} if self.victim.relation == "policyholder" else {"victim.person": self.victim.person}
        return {"claim": self.claim} | victim


class IdentifyClaimant(Command):
    """Record how the claimant was identified."""

    claim: ClaimNumber
    method: Code


class GiveAdvice(Command):
    """Record advice against future attacks."""

    claim: ClaimNumber
    topics: Codes


class ProvideAssistance(Command):
    """Record a service that was given."""

    claim: ClaimNumber
    kind: Assistance
    provider: Code


class AppointExpert(Command):
    """Appoint an expert to rescue data."""

    claim: ClaimNumber
    provider: Code


class CallOffExpert(Command):
    """Call the expert off."""

    claim: ClaimNumber
    provider: Code


class ReportFurtherIncident(Command):
    """Record a further act of the same series."""

    claim: ClaimNumber
    occurred_at: Moment
    narrative: FreeText | None = None


class RequestDocuments(Command):
    """Ask the claimant for documents."""

    claim: ClaimNumber
    documents: Codes


class ReceiveDocument(Command):
    """Record a document that came in."""

    claim: ClaimNumber
    document: Code
    sha256: Sha256


class CompleteSubmission(Command):
    """Record that the submission is complete."""

    not_after_at: ClassVar[tuple[str, ...]] = ("completed_at",)

    claim: ClaimNumber
    completed_at: Moment


class AcceptClaim(Command):
    """Accept the claim; after a reopening, for the further loss."""

    claim: ClaimNumber
    loss_cents: Cents
    already_compensated_cents: Cents = 0


class RejectClaim(Command):
    """Reject the claim."""

    claim: ClaimNumber
    code: ExclusionCode
    reason: FreeText | None = None


class WithdrawClaim(Command):
    """Record that the claimant takes the claim back."""

    claim: ClaimNumber


class IssueRefund(Command):
    """Pay what is owed, or part of it."""

    claim: ClaimNumber
    amount_cents: PaidCents | None = None
    """None: all that is owed (D11)."""
    payment_reference: NewPaymentReference
    iban: Iban | None = None


class RecordRefundFailure(Command):
    """Record that a payment came back."""

    claim: ClaimNumber
    payment_reference: PaymentReference


class ReverseRefund(Command):
    """Take a payment back."""

    claim: ClaimNumber
    payment_reference: PaymentReference


class RecordRecovery(Command):
    """Record what a third party paid the insurer back."""

    claim: ClaimNumber
    amount_cents: Cents
    payer: Code


class CorrectIncident(Command):
    """Correct the day of the incident."""

    claim: ClaimNumber
    occurred_at: Moment


class MoveClaim(Command):
    """Move the claim to the contract that it belongs to."""

    claim: ClaimNumber
    contract: ContractNumber


class CloseClaim(Command):
    """Close a decided claim."""

    claim: ClaimNumber
    reason: FreeText


class ReopenClaim(Command):
    """Open a decided claim again."""

    claim: ClaimNumber
    reason: FreeText


LoneClaimCommand = (
    IdentifyClaimant
    | GiveAdvice
    | ReportFurtherIncident
    | RequestDocuments
    | ReceiveDocument
    | IssueRefund
    | RecordRefundFailure
    | ReverseRefund
    | RecordRecovery
    | CloseClaim
    | ReopenClaim
)
"""Commands that are decided from the claim alone."""

CoveredClaimCommand = (
    ProvideAssistance
    | AppointExpert
    | CallOffExpert
    | CompleteSubmission
    | AcceptClaim
    | RejectClaim
    | WithdrawClaim
    | CorrectIncident
    | MoveClaim
)
"""Commands that are decided from the claim and its contract's cover."""

ClaimCommand = OpenClaim | LoneClaimCommand | CoveredClaimCommand
