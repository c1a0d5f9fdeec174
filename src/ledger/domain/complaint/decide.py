"""What commands and time make happen to a complaint (R9, D18)."""

from collections.abc import Sequence
from typing import assert_never

from ledger.domain.calendar import acknowledgement_due, answer_raw_due, opinion_raw_due
from ledger.domain.complaint.commands import (
    AcknowledgeComplaint,
    AnswerComplaint,
    CloseComplaint,
    ComplaintCommand,
    EscalateToOmbudsman,
    LodgeComplaint,
    RecordOmbudsmanOpinion,
)
from ledger.domain.complaint.events import (
    ComplaintAcknowledged,
    ComplaintAnswered,
    ComplaintClosed,
    ComplaintEscalated,
    ComplaintEvent,
    ComplaintLodged,
    OmbudsmanOpinionReceived,
)
from ledger.domain.complaint.state import Complaint
from ledger.domain.event import PendingEvent
from ledger.domain.identifiers import complaint_ref
from ledger.domain.limits import Context
from ledger.domain.refusals import Closed, Exists, Unknown


def decide(
    complaint: Complaint | None, command: ComplaintCommand, context: Context
) -> Sequence[PendingEvent]:
    """Return what a command makes happen to a complaint. Raises Unknown, Exists, Closed (D18)."""
    if isinstance(command, LodgeComplaint):
        return _lodge(complaint, command, context)
    if complaint is None:
        message = f"complaint {command.complaint} does not exist; check its number"
        raise Unknown(message)
    if complaint.status == "closed":
        message = f"complaint {complaint.number} is closed; lodge a new one"
        raise Closed(message)
    event: ComplaintEvent
    match command:
        case AcknowledgeComplaint():
            event = ComplaintAcknowledged(on=command.on)
        case AnswerComplaint():
            event = ComplaintAnswered(on=command.on)
        case EscalateToOmbudsman():
            day = opinion_raw_due(command.on, complaint.ombudsman_days)
            event = ComplaintEscalated(on=command.on, opinion_raw_due_on=day)
        case RecordOmbudsmanOpinion():
            event = OmbudsmanOpinionReceived(on=command.on)
        case CloseComplaint():
            event = ComplaintClosed(on=command.on)
        case unknown:
            assert_never(unknown)
    return [PendingEvent(complaint.ref, event, command.on, context.at)]


def _lodge(complaint: Complaint | None, command: LodgeComplaint, context: Context) -> Sequence[PendingEvent]:
    cover = context.cover
    if cover is None:
        message = f"contract {command.contract} does not exist; check its number"
        raise Unknown(message)
    if not context.claim_exists:
        message = f"claim {command.claim} does not exist; check its number, or leave it out"
        raise Unknown(message)
    if complaint is not None:
        message = f"complaint {command.complaint} is already lodged; take another number"
        raise Exists(message)
    periods = cover.terms.periods
    event = ComplaintLodged(
        contract=command.contract,
        claim=command.claim,
        person=cover.person,
        received_on=command.received_on,
        subject=command.subject,
        acknowledgement_due_on=acknowledgement_due(command.received_on, periods),
        answer_raw_due_on=answer_raw_due(command.received_on, periods),
        ombudsman_days=periods.ombudsman_days,
    )
    ref = complaint_ref(command.complaint)
    return [PendingEvent(ref, event, command.received_on, context.at, subject=cover.person)]
