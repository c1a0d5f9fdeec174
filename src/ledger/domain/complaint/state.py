"""A complaint as its events leave it."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from ledger.domain.codes import ComplaintStatus
from ledger.domain.complaint.events import (
    ComplaintAcknowledged,
    ComplaintAnswered,
    ComplaintClosed,
    ComplaintEscalated,
    ComplaintLodged,
    OmbudsmanOpinionReceived,
)
from ledger.domain.deadlines import Deadline, fold_deadlines
from ledger.domain.event import RecordedEvent
from ledger.domain.identifiers import StreamRef


@dataclass(frozen=True, slots=True)
class Complaint:
    """A complaint: about what, by whom, and how far it has come."""

    number: str
    contract: str
    claim: str | None
    person: str
    received_on: date
    ombudsman_days: int
    deadlines: tuple[Deadline, ...]
    last_at: datetime
    status: ComplaintStatus = "open"
    """The last step taken."""

    @property
    def ref(self) -> StreamRef:
        """The complaint's stream."""
        return StreamRef("complaint", self.number)


def apply(complaint: Complaint | None, recorded: RecordedEvent) -> Complaint | None:
    """Fold one fact into the complaint. Never refuses: it has already happened.

    None before ComplaintLodged: `--on` an earlier date may leave out the lodging and keep what is dated
    before it.
    """
    event = recorded.event
    if isinstance(event, ComplaintLodged):
        return Complaint(
            number=recorded.stream.number,
            contract=event.contract,
            claim=event.claim,
            person=event.person,
            received_on=event.received_on,
            ombudsman_days=event.ombudsman_days,
            deadlines=fold_deadlines((), recorded),
            last_at=recorded.at,
        )
    return None if complaint is None else _after(complaint, recorded)


def _after(complaint: Complaint, recorded: RecordedEvent) -> Complaint:
    """Fold one fact into a complaint that has begun."""
    status: ComplaintStatus
    match recorded.event:
        case ComplaintAcknowledged():
            # An acknowledgement after an answer takes no step back.
            status = "acknowledged" if complaint.status == "open" else complaint.status
        case ComplaintAnswered():
            status = "answered"
        case ComplaintEscalated():
            status = "escalated"
        case OmbudsmanOpinionReceived():
            status = "opinion_received"
        case ComplaintClosed():
            status = "closed"
        case _:
            status = complaint.status
    return replace(
        complaint,
        status=status,
        deadlines=fold_deadlines(complaint.deadlines, recorded),
        last_at=max(complaint.last_at, recorded.at),
    )
