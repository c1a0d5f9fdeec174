"""What happens to a contract."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from ledger.domain.codes import Guarantee, Language, NoticeChannel
from ledger.domain.event import DeadlineMissed, Event, Personal
from ledger.domain.identifiers import ClaimNumber, Code, Person, Sha256


class ContractEvent(Event):
    """Anything that a contract's stream holds."""


class Policyholder(BaseModel):
    """Who concluded the contract."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    person: Person
    name: Personal[str]
    email: Personal[str] | None = None
    address: Personal[str] | None = None


class AppliedDocument(BaseModel):
    """A document that applied when the contract was concluded."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    kind: Literal["ipid", "general_terms"]
    language: Language
    version: Code
    sha256: Sha256


class ContractStarted(ContractEvent):
    """A contract was concluded for a term of one year, from `starts_on`."""

    stable_name: ClassVar[str] = "contract.ContractStarted"

    product: Code
    terms: Code
    starts_on: date
    concluded_on: date
    distance_sale: bool
    language: Language
    policyholder: Policyholder
    ends_on: date
    """E of the first term (R3)."""
    notice_gate_on: date
    """G (R4)."""
    letter_raw_due_on: date
    """N of the first term (R6)."""
    withdrawal_raw_due_on: date | None = None
    """The last day of withdrawal before rolling, of a distance sale only (R10)."""
    documents: tuple[AppliedDocument, ...] = ()


class NoticeReceived(ContractEvent):
    """The policyholder gave notice; it ends cover at 00:00 of `ends_on` (R5)."""

    stable_name: ClassVar[str] = "contract.NoticeReceived"

    received_on: date
    deemed_on: date
    ends_on: date
    channel: NoticeChannel


class NoticeRevoked(ContractEvent):
    """The policyholder took the notice back (D5)."""

    stable_name: ClassVar[str] = "contract.NoticeRevoked"

    reason: str


class TerminationNoticeSent(ContractEvent):
    """The insurer's registered letter was posted; timely, it ends the contract at E of its term (R6, R11)."""

    stable_name: ClassVar[str] = "contract.TerminationNoticeSent"

    posted_on: date
    tracking: Code
    term: int
    """The term in which it was posted (D3)."""
    timely: bool
    ends_on: date | None
    """E of that term; None for a late letter, which ends nothing."""
    letter_raw_due_on: date
    """N of that term."""


class LetterReturned(ContractEvent):
    """The post brought the insurer's letter back, which changes nothing (Q8)."""

    stable_name: ClassVar[str] = "contract.LetterReturned"

    returned_on: date


class ContractWithdrawn(ContractEvent):
    """The policyholder withdrew from a distance sale; cover ends on receipt, at the earliest on S (D6)."""

    stable_name: ClassVar[str] = "contract.ContractWithdrawn"

    received_on: date
    ends_on: date


class ContractAnnulled(ContractEvent):
    """The contract had been recorded by mistake: there never was any cover."""

    stable_name: ClassVar[str] = "contract.ContractAnnulled"

    reason: str
    ends_on: date
    """S."""


class PersonCorrected(ContractEvent):
    """What is held on the policyholder was wrong; the fields given are right."""

    stable_name: ClassVar[str] = "contract.PersonCorrected"

    person: Person
    name: Personal[str] | None = None
    email: Personal[str] | None = None
    address: Personal[str] | None = None


class LetterPrepared(ContractEvent):
    """The time side wrote a letter."""

    stable_name: ClassVar[str] = "contract.LetterPrepared"

    kind: Code
    sha256: Sha256


class LetterHandedOver(ContractEvent):
    """The time side gave a letter to a carrier."""

    stable_name: ClassVar[str] = "contract.LetterHandedOver"

    carrier: Code
    reference: Code


class ClaimRegistered(ContractEvent):
    """A claim was opened on the contract, or moved to it."""

    stable_name: ClassVar[str] = "contract.ClaimRegistered"

    claim: ClaimNumber


class ClaimDeregistered(ContractEvent):
    """A claim was moved from the contract to another one."""

    stable_name: ClassVar[str] = "contract.ClaimDeregistered"

    claim: ClaimNumber


class Cancelled(ContractEvent):
    """The policyholder's notice ended the contract (R5)."""

    stable_name: ClassVar[str] = "contract.Cancelled"

    effective_on: date


class ContractExpired(ContractEvent):
    """The insurer's timely letter ended the contract at the end of its term (R11)."""

    stable_name: ClassVar[str] = "contract.ContractExpired"

    ends_on: date


class ContractRenewed(ContractEvent):
    """A further term began, with fresh limits (R11)."""

    stable_name: ClassVar[str] = "contract.ContractRenewed"

    term: int
    starts_on: date
    ends_on: date
    letter_raw_due_on: date
    """N of the new term (R6)."""


class WithdrawalPeriodEnded(ContractEvent):
    """The days of withdrawal went by unused (D6)."""

    stable_name: ClassVar[str] = "contract.WithdrawalPeriodEnded"

    due_on: date


class LimitReserved(ContractEvent):
    """Room in an insurance year's limit was set aside for a claim (D14)."""

    stable_name: ClassVar[str] = "contract.LimitReserved"

    insurance_year: int
    guarantee: Guarantee
    claim: ClaimNumber
    amount_cents: int
    count: int


class LimitReleased(ContractEvent):
    """What was set aside for a claim is free again."""

    stable_name: ClassVar[str] = "contract.LimitReleased"

    insurance_year: int
    guarantee: Guarantee
    claim: ClaimNumber
    amount_cents: int
    count: int


class LimitConsumed(ContractEvent):
    """A claim used up some of an insurance year's limit (I6, I7)."""

    stable_name: ClassVar[str] = "contract.LimitConsumed"

    insurance_year: int
    guarantee: Guarantee
    claim: ClaimNumber
    amount_cents: int
    count: int
    accepted: bool = True
    """False where a failed rescue consumes without acceptance (Q11)."""


class LimitConsumptionReversed(ContractEvent):
    """A corrected decision gave back what the claim had used up (I12)."""

    stable_name: ClassVar[str] = "contract.LimitConsumptionReversed"

    insurance_year: int
    guarantee: Guarantee
    claim: ClaimNumber
    amount_cents: int
    count: int


class ContractDeadlineMissed(DeadlineMissed, ContractEvent):
    """A due date of the contract went by."""

    stable_name: ClassVar[str] = "contract.DeadlineMissed"


class ContractSubjectErased(ContractEvent):
    """The policyholder's key was destroyed."""

    stable_name: ClassVar[str] = "contract.SubjectErased"

    person: Person
