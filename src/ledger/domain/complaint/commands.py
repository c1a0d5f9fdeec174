"""What can be asked of a complaint."""

from collections.abc import Mapping
from typing import ClassVar

from ledger.domain.command import Command, Day
from ledger.domain.identifiers import ClaimNumber, ComplaintNumber, ContractNumber, FreeText, New


class LodgeComplaint(Command):
    """Record a complaint."""

    not_after_at: ClassVar[tuple[str, ...]] = ("received_on",)

    complaint: New
    contract: ContractNumber
    claim: ClaimNumber | None = None
    received_on: Day
    subject: FreeText

    @property
    def makes(self) -> Mapping[str, str]:
        """The complaint."""
        return {"complaint": self.complaint}


class AcknowledgeComplaint(Command):
    """Record that the complaint was acknowledged."""

    complaint: ComplaintNumber
    on: Day


class AnswerComplaint(Command):
    """Record that the complaint was answered."""

    complaint: ComplaintNumber
    on: Day


class EscalateToOmbudsman(Command):
    """Record that the complaint was brought before the Ombudsman."""

    complaint: ComplaintNumber
    on: Day


class RecordOmbudsmanOpinion(Command):
    """Record the Ombudsman's opinion."""

    complaint: ComplaintNumber
    on: Day


class CloseComplaint(Command):
    """Close the complaint."""

    complaint: ComplaintNumber
    on: Day


ComplaintCommand = (
    LodgeComplaint
    | AcknowledgeComplaint
    | AnswerComplaint
    | EscalateToOmbudsman
    | RecordOmbudsmanOpinion
    | CloseComplaint
)
