"""A claim: the four steps of the FAQ, with what was done in each and what comes next."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, cast

from ledger.domain.claim.state import Claim
from ledger.domain.codes import Guarantee
from ledger.domain.dispatch import fold
from ledger.domain.identifiers import claim_ref, contract_ref
from ledger.domain.terms import Terms, load_terms
from ledger.feed.reader import FeedEvent
from ledger.privacy.access import Access
from projections.asking.questions import Filters, list_contracts, list_limits, show_claim
from projections.asking.reader import Reader
from projections.replay.telling import told
from projections.web.acting import new_command_id, said_of
from projections.web.addresses import claim_page
from projections.web.asked import looking, today_of
from projections.web.forms.form import Form, form_of
from projections.web.page import Look, page_of_look
from projections.web.pages.contract import access_of, number_in
from projections.web.serving import TIME, Pages, Shown
from projections.web.told.claim_steps import Step, steps
from projections.web.told.facts import facts_of
from projections.web.told.limit_bars import LimitBars, years_of_limits
from projections.web.told.persons import shut_persons
from projections.web.words.codes import N_
from projections.web.words.saying_no import NotThere

VIEWS: Final = ("claims", "contracts", "due", "limits", "complaints")

NOT_OPENED_THEN: Final = N_("Claim %(number)s had not been opened then: choose a later date.")


def register(pages: Pages) -> None:
    """Register the page, and the opening of its names."""
    pages.page("/claims/{number}", show, twin, takes=(*TIME, "done"))
    pages.form("/claims/{number}/names", show_with_names, right="names")


def twin(look: Look) -> object:
    """Give what `claim show` prints."""
    with looking(look.wiring, VIEWS, look.asked) as reader:
        return show_claim(reader, number_in(look))


def show(look: Look) -> Shown:
    """Show the page, names shut."""
    return _shown(look, None)


def show_with_names(look: Look) -> Shown:
    """Show the page with its names opened; the access log has been told why."""
    page = replace(look, path=claim_page(number_in(look)), query={})
    return _shown(page, access_of(look, "site: claim"))


def _shown(look: Look, access: Access | None) -> Shown:
    number = number_in(look)
    said = said_of(look)
    with looking(look.wiring, VIEWS, look.asked, access) as reader:
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
        step.name: _forms(look, state, step, events[-1].version, guarantee.services) if acts else ([], [])
        for step in told_steps
    }
    return Shown(
        "claim.html",
        {
            "page": page_of_look(look, "claims", position=position, said=said),
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
    """Give the limit that the claim's incident draws on, with all that has drawn on it."""
    rows = list_limits(reader, Filters(claim=claim))
    if not rows:
        return None
    years = years_of_limits(rows, reader.events(contract_ref(contract), own=True))
    return years[0].limits[0]


def _terms(reader: Reader, contract: str) -> Terms:
    [row] = list_contracts(reader, Filters(contract=contract))
    return load_terms(str(row["product"]), str(row["terms"]))


def _line(event: FeedEvent, look: Look) -> Mapping[str, object]:
    """Tell an event in one line."""
    return told(event) | {"facts": facts_of(event.event, look.words)}


def _forms(
    look: Look, claim: Claim, step: Step, version: int, services: Sequence[str]
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
