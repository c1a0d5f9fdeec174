"""What happens to a complaint."""

from datetime import date
from typing import ClassVar

from ledger.domain.event import DeadlineMissed, Event, Personal
from ledger.domain.identifiers import ClaimNumber, ContractNumber, Person


class ComplaintEvent(Event):
    """Anything that a complaint's stream holds."""


class ComplaintLodged(ComplaintEvent):
    """The policyholder complained."""

    stable_name: ClassVar[str] = "complaint.ComplaintLodged"

    contract: ContractNumber
    claim: ClaimNumber | None
    person: Person
    received_on: date
    subject: Personal[str]
    acknowledgement_due_on: date
    answer_raw_due_on: date
    ombudsman_days: int
    """The calendar days within which the Ombudsman gives an opinion, should it come to that."""


class ComplaintAcknowledged(ComplaintEvent):
    """The Quality department said that it has the complaint."""

    stable_name: ClassVar[str] = "complaint.ComplaintAcknowledged"

    on: date


class ComplaintAnswered(ComplaintEvent):
    """The Quality department answered."""

    stable_name: ClassVar[str] = "complaint.ComplaintAnswered"

    on: date


class ComplaintEscalated(ComplaintEvent):
    """The complaint was brought before the Ombudsman."""

    stable_name: ClassVar[str] = "complaint.ComplaintEscalated"

    on: date
    opinion_raw_due_on: date


class OmbudsmanOpinionReceived(ComplaintEvent):
    """The Ombudsman's opinion came in."""

    stable_name: ClassVar[str] = "complaint.OmbudsmanOpinionReceived"

    on: date


class ComplaintClosed(ComplaintEvent):
    """Nothing is left to do on the complaint."""

    stable_name: ClassVar[str] = "complaint.ComplaintClosed"

    on: date


class ComplaintDeadlineMissed(DeadlineMissed, ComplaintEvent):
    """A due date of the complaint went by."""

    stable_name: ClassVar[str] = "complaint.DeadlineMissed"


class ComplaintSubjectErased(ComplaintEvent):
    """The policyholder's key was destroyed."""

    stable_name: ClassVar[str] = "complaint.SubjectErased"

    person: Person
