"""A claim: the four steps of the FAQ, with what comes next. A complaint: how far it is. And their forms."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, cast

from ledger.domain.claim.state import Claim
from ledger.domain.codes import Guarantee
from ledger.domain.dispatch import fold
from ledger.domain.identifiers import claim_ref, complaint_ref, contract_ref
from ledger.domain.terms import Terms, load_terms
from ledger.feed.reader import FeedEvent
from ledger.privacy.access import Access
from projections.listing import Filters
from projections.queries.questions import list_contracts, list_limits, show_claim, show_complaint
from projections.queries.reader import Reader
from projections.queries.replay import told
from projections.web.form_submission import new_command_id, said_of
from projections.web.forms import Form, form_of
from projections.web.i18n.codes import N_
from projections.web.i18n.problems import NotThere
from projections.web.page import PageRequest, page_of_request
from projections.web.pages.contract import access_of, number_in
from projections.web.presenters.claim import Step, facts_of, steps
from projections.web.presenters.contract import LimitBars, shut_persons, years_of_limits
from projections.web.renderer import claim_page
from projections.web.responses import TIME, Pages, Shown
from projections.web.time_params import looking, today_of

COMPLAINT_VIEWS: Final = ("complaints", "contracts", "due", "claims")

OFFERED: Final[Mapping[str, Sequence[str]]] = {
    "open": ("AcknowledgeComplaint", "AnswerComplaint", "EscalateToOmbudsman", "CloseComplaint"),
    "acknowledged": ("AnswerComplaint", "EscalateToOmbudsman", "CloseComplaint"),
    "answered": ("CloseComplaint", "EscalateToOmbudsman"),
    "escalated": ("RecordOmbudsmanOpinion", "AnswerComplaint", "CloseComplaint"),
    "opinion_received": ("CloseComplaint", "AnswerComplaint"),
}
"""Status → what may be recorded, the likeliest first."""


def register_complaint(pages: Pages) -> None:
    """Register the page."""
    pages.page("/complaints/{number}", show_complaint_page, complaint_as_json, takes=(*TIME, "done"))


def complaint_as_json(look: PageRequest) -> object:
    """Return what `complaint show` prints."""
    with looking(look.wiring, COMPLAINT_VIEWS, look.asked) as reader:
        return show_complaint(reader, number_in(look))


def show_complaint_page(look: PageRequest) -> Shown:
    """Show the page."""
    number, said = number_in(look), said_of(look)
    with looking(look.wiring, COMPLAINT_VIEWS, look.asked) as reader:
        complaint = show_complaint(reader, number)
        events = reader.events(complaint_ref(number), own=True)
        persons = shut_persons(reader.connection, reader.book, [str(complaint["complainant"])])
        position = reader.position
    acts = look.visitor.may_command and not look.asked.is_given
    return Shown(
        "complaint.html",
        {
            "page": page_of_request(look, "complaints", position=position, said=said),
            "complaint": complaint,
            "number": number,
            "events": [told(event) for event in events],
            "persons": persons,
            "forms": _complaint_forms(look, number, str(complaint["status"]), events[-1].version)
            if acts
            else [],
        },
    )


def _complaint_forms(look: PageRequest, number: str, status: str, version: int) -> list[Form]:
    today = today_of(look.wiring).isoformat()
    return [
        replace(
            form_of(command, number, offers={"on": today}, seen_version=version), command_id=new_command_id()
        )
        for command in OFFERED.get(status, ())
    ]


CLAIM_VIEWS: Final = ("claims", "contracts", "due", "limits", "complaints")

NOT_OPENED_THEN: Final = N_("Claim %(number)s had not been opened then: choose a later date.")


def register_claim(pages: Pages) -> None:
    """Register the page, and the opening of its names."""
    pages.page("/claims/{number}", show_claim_page, claim_as_json, takes=(*TIME, "done"))
    pages.form("/claims/{number}/names", show_with_names, right="names")


def claim_as_json(look: PageRequest) -> object:
    """Return what `claim show` prints."""
    with looking(look.wiring, CLAIM_VIEWS, look.asked) as reader:
        return show_claim(reader, number_in(look))


def show_claim_page(look: PageRequest) -> Shown:
    """Show the page, names shut."""
    return _shown(look, None)


def show_with_names(look: PageRequest) -> Shown:
    """Show the page with its names opened; the access log has been told why."""
    page = replace(look, path=claim_page(number_in(look)), query={})
    return _shown(page, access_of(look, "site: claim"))


def _shown(look: PageRequest, access: Access | None) -> Shown:
    number = number_in(look)
    said = said_of(look)
    with looking(look.wiring, CLAIM_VIEWS, look.asked, access) as reader:
        claim = show_claim(reader, number)
        events = reader.events(claim_ref(number), own=True)
        state = _state(events, number)
        limit = _limit(reader, number, str(claim["contract"]))
        terms = _terms(reader, str(claim["contract"]))
        persons = claim.get("persons") or shut_persons(reader.connection, reader.book, [str(claim["victim"])])
        position = reader.position
    guarantee = terms.by_guarantee[cast("Guarantee", claim["guarantee"])]
    told_steps = steps(state, events, guarantee.services, expert=guarantee.expert_service is not None)
    acts = look.visitor.may_command and not look.asked.is_given
    forms = {
        step.name: _claim_forms(look, state, step, events[-1].version, guarantee.services)
        if acts
        else ([], [])
        for step in told_steps
    }
    return Shown(
        "claim.html",
        {
            "page": page_of_request(look, "claims", position=position, said=said),
            "claim": claim,
            "number": number,
            "state": state,
            "steps": told_steps,
            "step_events": {step.name: [_line(event, look) for event in step.events] for step in told_steps},
            "forms": forms,
            "limit": limit,
            "persons": persons,
            "are_open": access is not None,
            "guarantee": guarantee,
        },
    )


def _state(events: Sequence[FeedEvent], number: str) -> Claim:
    state = None
    for event in events:
        state = fold(state, event.recorded)
    if not isinstance(state, Claim):
        raise NotThere(NOT_OPENED_THEN, number=number)
    return state


def _limit(reader: Reader, claim: str, contract: str) -> LimitBars | None:
    """Return the limit that the claim's incident draws on, with all that has drawn on it."""
    rows = list_limits(reader, Filters(claim=claim))
    if not rows:
        return None
    years = years_of_limits(rows, reader.events(contract_ref(contract), own=True))
    return years[0].limits[0]


def _terms(reader: Reader, contract: str) -> Terms:
    [row] = list_contracts(reader, Filters(contract=contract))
    return load_terms(str(row["product"]), str(row["terms"]))


def _line(event: FeedEvent, look: PageRequest) -> Mapping[str, object]:
    """Return an event as one line."""
    return told(event) | {"facts": facts_of(event.event, look.words)}


def _claim_forms(
    look: PageRequest, claim: Claim, step: Step, version: int, services: Sequence[str]
) -> tuple[list[Form], list[Form]]:
    today = today_of(look.wiring).isoformat()
    offers = {
        "CompleteSubmission": {"completed_at": today},
        "ReportFurtherIncident": {"occurred_at": today},
        "CorrectIncident": {"occurred_at": claim.incident_on.isoformat()},
    }
    standing = [payment.reference for payment in claim.payments if not payment.taken_back]

    def form(command: str) -> Form:
        given = dict(offers.get(command, {}))
        if command in {"RecordRefundFailure", "ReverseRefund"} and len(standing) == 1:
            given["payment_reference"] = standing[0]
        made = form_of(command, claim.number, offers=given, choices={"kind": services}, seen_version=version)
        return replace(made, command_id=new_command_id())

    return [form(command) for command in step.commands], [form(command) for command in step.further]
