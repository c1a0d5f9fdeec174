"""A complaint, read a second time (R9, D18)."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from oracle import brussels, due
from oracle.due import Due
from oracle.product import refuse

OMBUDSMAN_DAYS = timedelta(days=90)


@dataclass
class Complaint:
    """One complaint as it stands."""

    number: str
    contract: str
    received_on: date
    closed: bool = False
    due: list[Due] = field(default_factory=list)
    last_at: datetime | None = None

    def __post_init__(self) -> None:
        """D18: lodging opens acknowledgement and answer, both from received_on."""
        working = brussels.add_working_days(self.received_on, 3)
        self.open("complaint_acknowledgement", working)
        self.open("complaint_answer", brussels.answer_raw(self.received_on))

    def elapse(self, until: datetime) -> None:
        due.let_time_act(self.due, until)

    def open(self, kind: str, raw: date) -> None:
        self.due.append(due.rolled_forward(f"complaint:{self.number}", kind, "R9", raw))

    def meet(self, kind: str, on: date) -> None:
        for row in self.due:
            if row.kind == kind:
                row.meet(on)

    def take(self, command: str, on: date) -> None:
        """D18: on is met_on; after closing CLOSED."""
        if self.closed:
            refuse("CLOSED")
        match command:
            case "AcknowledgeComplaint":
                self.meet("complaint_acknowledgement", on)
            case "AnswerComplaint":
                self.meet("complaint_answer", on)
                for row in self.due:  # an answer also meets an open acknowledgement
                    if row.kind == "complaint_acknowledgement" and row.status == "open":
                        row.meet(on)
            case "EscalateToOmbudsman":
                self.open("ombudsman_opinion", on + OMBUDSMAN_DAYS)
            case "RecordOmbudsmanOpinion":
                self.meet("ombudsman_opinion", on)
            case "CloseComplaint":
                self.closed = True
                for row in self.due:
                    row.cancel()
