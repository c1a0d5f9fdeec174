"""What can be asked of a contract."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from ledger.domain.codes import Language, NoticeChannel
from ledger.domain.command import Command, Day
from ledger.domain.identifiers import (
    Code,
    ContractNumber,
    EmailAddress,
    FreeText,
    New,
    Person,
    PersonName,
    PostalAddress,
)


class PolicyholderGiven(BaseModel):
    """Who concludes the contract."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    person: New
    name: PersonName
    email: EmailAddress | None = None
    address: PostalAddress | None = None


class StartContract(Command):
    """Record a contract that was concluded."""

    contract: New
    product: Code
    terms: Code | None = None
    """None: the newest version."""
    starts_on: Day
    concluded_on: Day | None = None
    """None: the date of `at` (D6)."""
    distance_sale: bool = False
    language: Language | None = None
    """None: the default of the terms."""
    policyholder: PolicyholderGiven

    @property
    def makes(self) -> Mapping[str, str]:
        """The contract and its policyholder."""
        return {"contract": self.contract, "policyholder.person": self.policyholder.person}


class GiveNotice(Command):
    """Record the policyholder's notice."""

    not_after_at: ClassVar[tuple[str, ...]] = ("received_on",)

    contract: ContractNumber
    received_on: Day
    channel: NoticeChannel


class RevokeNotice(Command):
    """Record that the policyholder takes the notice back."""

    contract: ContractNumber
    reason: FreeText


class SendTerminationNotice(Command):
    """Record that the insurer's registered letter was posted."""

    not_after_at: ClassVar[tuple[str, ...]] = ("posted_on",)

    contract: ContractNumber
    posted_on: Day
    tracking: Code


class RecordLetterReturned(Command):
    """Record that the insurer's letter came back."""

    contract: ContractNumber
    returned_on: Day


class WithdrawFromContract(Command):
    """Record that the policyholder withdraws from a distance sale."""

    not_after_at: ClassVar[tuple[str, ...]] = ("received_on",)

    contract: ContractNumber
    received_on: Day


class AnnulContract(Command):
    """Annul a contract that was recorded by mistake."""

    contract: ContractNumber
    reason: FreeText


class CorrectPerson(Command):
    """Correct what is held on the policyholder."""

    contract: ContractNumber
    person: Person
    name: PersonName | None = None
    email: EmailAddress | None = None
    address: PostalAddress | None = None


ContractCommand = (
    StartContract
    | GiveNotice
    | RevokeNotice
    | SendTerminationNotice
    | RecordLetterReturned
    | WithdrawFromContract
    | AnnulContract
    | CorrectPerson
)
