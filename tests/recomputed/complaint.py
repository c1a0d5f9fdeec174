"""A complaint, added up from its raw events."""

from dataclasses import dataclass, field

from recomputed.due import DueList
from recomputed.raw import RawEvent

Row = dict[str, object]

STATUS_AFTER = {
    "ComplaintAnswered": "answered",
    "ComplaintEscalated": "escalated",
    "OmbudsmanOpinionReceived": "opinion_received",
    "ComplaintClosed": "closed",
}


@dataclass
class Complaint:
    """One complaint as its raw events leave it."""

    number: str
    lodged: RawEvent
    contract_position: int
    status: str = "open"
    due: DueList = field(default_factory=DueList)

    def take(self, event: RawEvent) -> None:  # noqa: C901  # one case a kind of event
        due = self.due
        self.status = STATUS_AFTER.get(event.name, self.status)
        match event.name:
            case "ComplaintLodged":
                due.forward("complaint_acknowledgement", "R9", event.day("acknowledgement_due_on"))
                due.forward("complaint_answer", "R9", event.day("answer_raw_due_on"))
            case "ComplaintAcknowledged":
                due.meet("complaint_acknowledgement", event.day("on"))
                if self.status == "open":
                    self.status = "acknowledged"
            case "ComplaintAnswered":
                for row in due.of("complaint_acknowledgement"):
                    if row.status == "open":
                        row.meet(event.day("on"))
                due.meet("complaint_answer", event.day("on"))
            case "ComplaintEscalated":
                due.forward("ombudsman_opinion", "R9", event.day("opinion_raw_due_on"))
            case "OmbudsmanOpinionReceived":
                due.meet("ombudsman_opinion", event.day("on"))
            case "DeadlineMissed":
                due.miss(event)
            case "ComplaintClosed":
                due.become("cancelled", "complaint_acknowledgement", "complaint_answer", "ombudsman_opinion")

    def rows(self) -> dict[str, list[Row]]:
        said = self.lodged.said
        register: Row = {
            "complaint": self.number,
            "opened_position": self.lodged.position,
            "contract": said["contract"],
            "claim": said["claim"],
            "status": self.status,
            "received_on": self.lodged.day("received_on"),
            "complainant": said["person"],
        }
        place = {
            "subject_rank": 2,
            "subject_position": self.lodged.position,
            "contract": said["contract"],
            "contract_position": self.contract_position,
            "guarantee": None,
        }
        due = [place | row for row in self.due.shown(f"complaint:{self.number}")]
        return {"complaints": [register], "due": due}
