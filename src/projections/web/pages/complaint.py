"""A complaint: how far it is, what is due on it, whom to turn to; and its forms."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from ledger.domain.identifiers import complaint_ref
from projections.asking.questions import show_complaint
from projections.replay.telling import told
from projections.web.acting import new_command_id, said_of
from projections.web.asked import looking, today_of
from projections.web.forms.form import Form, form_of
from projections.web.page import Look, page_of_look
from projections.web.pages.contract import number_in
from projections.web.serving import TIME, Pages, Shown
from projections.web.told.persons import shut_persons

VIEWS: Final = ("complaints", "contracts", "due", "claims")

OFFERED: Final[Mapping[str, Sequence[str]]] = {
    "open": ("AcknowledgeComplaint", "AnswerComplaint", "EscalateToOmbudsman", "CloseComplaint"),
    "acknowledged": ("AnswerComplaint", "EscalateToOmbudsman", "CloseComplaint"),
    "answered": ("CloseComplaint", "EscalateToOmbudsman"),
    "escalated": ("RecordOmbudsmanOpinion", "AnswerComplaint", "CloseComplaint"),
    "opinion_received": ("CloseComplaint", "AnswerComplaint"),
}
"""Status → what may be recorded, the likeliest first."""


def register(pages: Pages) -> None:
    """Register the page."""
    pages.page("/complaints/{number}", show, twin, takes=(*TIME, "done"))


def twin(look: Look) -> object:
    """Give what `complaint show` prints."""
    with looking(look.wiring, VIEWS, look.asked) as reader:
        return show_complaint(reader, number_in(look))


def show(look: Look) -> Shown:
    """Show the page."""
    number, said = number_in(look), said_of(look)
    with looking(look.wiring, VIEWS, look.asked) as reader:
        complaint = show_complaint(reader, number)
        events = reader.events(complaint_ref(number), own=True)
        persons = shut_persons(reader.connection, reader.book, [str(complaint["complainant"])])
        position = reader.position
    acts = look.visitor.may_command and not look.asked.is_given
    return Shown(
        "complaint.html",
        {
            "page": page_of_look(look, "complaints", position=position, said=said),
            "complaint": complaint,
            "number": number,
            "events": [told(event) for event in events],
            "persons": persons,
            "forms": _forms(look, number, str(complaint["status"]), events[-1].version) if acts else [],
        },
    )


def _forms(look: Look, number: str, status: str, version: int) -> list[Form]:
    today = today_of(look.wiring).isoformat()
    return [
        replace(
            form_of(command, number, offers={"on": today}, seen_version=version), command_id=new_command_id()
        )
        for command in OFFERED.get(status, ())
    ]
