"""A contract: cover and limits as bars, its life in both times, due dates, claims; and its forms."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from ledger.domain.contract.state import Contract
from ledger.domain.dispatch import fold
from ledger.domain.identifiers import StreamRef, contract_ref
from ledger.feed.reader import FeedEvent
from ledger.privacy.access import Access
from projections.listing import Filters
from projections.queries.questions import Answer, list_due, show_contract
from projections.queries.reader import Reader
from projections.queries.replay import told
from projections.web.form_submission import new_command_id, said_of
from projections.web.forms import Form, form_of
from projections.web.i18n.codes import N_, REMARKS
from projections.web.i18n.problems import BadParameter
from projections.web.page import PageRequest, page_of_request
from projections.web.presenters.contract import life, shut_persons, years_of_limits
from projections.web.renderer import contract_page, from_address
from projections.web.responses import TIME, Pages, Shown
from projections.web.time_params import looking, today_of

VIEWS: Final = ("contracts", "limits", "due", "claims", "complaints")

LONGEST_REASON: Final = 200
NO_REASON: Final = N_("Names are opened for a reason, which is written down: say why.")


def register_contract(pages: Pages) -> None:
    """Register the page, and the opening of its names."""
    pages.page("/contracts/{number}", show, as_json, takes=(*TIME, "done"))
    pages.form("/contracts/{number}/names", show_with_names, right="names")


def number_in(look: PageRequest) -> str:
    """Read the number in a page's address."""
    return from_address(look.steps["number"])


def as_json(look: PageRequest) -> object:
    """Return what `contract show` prints."""
    with looking(look.wiring, VIEWS, look.asked) as reader:
        return show_contract(reader, number_in(look))


def show(look: PageRequest) -> Shown:
    """Show the page, names shut."""
    return _shown(look, None)


def show_with_names(look: PageRequest) -> Shown:
    """Show the page with its names opened; the access log has been told why."""
    page = replace(look, path=contract_page(number_in(look)), query={})
    return _shown(page, access_of(look, "site: contract"))


def access_of(look: PageRequest, what: str) -> Access:
    """Return who opens names on a page, and why. Raises `UsageError` without a reason."""
    reason = look.typed.get("reason", "").strip()[:LONGEST_REASON]
    if not reason:
        raise BadParameter(NO_REASON)
    return Access(look.visitor.actor, what, reason)


def _shown(look: PageRequest, access: Access | None) -> Shown:
    number, today = number_in(look), today_of(look.wiring)
    said = said_of(look)
    with looking(look.wiring, VIEWS, look.asked, access) as reader:
        contract = show_contract(reader, number)
        events = reader.events(contract_ref(number), own=False)
        persons = _persons(reader, contract)
        kept = list_due(reader, Filters(contract=number, kind="retention"))
        position = reader.position
    # Letters are as they are now: a past time shows none.
    letters = [] if look.asked.is_given else look.wiring.listed("letters shown", {"contract": number})["rows"]
    own = [event for event in events if event.stream == contract_ref(number)]
    limits = _rows(contract, "limits")
    return Shown(
        "contract.html",
        {
            "page": page_of_request(look, "contracts", position=position, said=said),
            "contract": contract,
            "number": number,
            "years": years_of_limits(limits, own),
            "life": life(events, limits, today, look.words),
            "events": [told(event) for event in reversed(events)],
            "persons": persons,
            "are_open": access is not None,
            "letters": letters,
            "kept_until": kept[0] if kept else None,
            "REMARKS": REMARKS,
            "forms": _forms(look, number, own)
            if look.visitor.may_command and not look.asked.is_given
            else [],
        },
    )


def _persons(reader: Reader, contract: Answer) -> Sequence[Mapping[str, object]]:
    opened = contract.get("persons")
    if isinstance(opened, list):
        return opened
    persons = [str(contract["policyholder"]), *(str(claim["victim"]) for claim in _rows(contract, "claims"))]
    return shut_persons(reader.connection, reader.book, persons)


def _rows(contract: Answer, name: str) -> list[Answer]:
    rows = contract[name]
    assert isinstance(rows, list)  # noqa: S101  # as show_contract gives it
    return rows


def _forms(look: PageRequest, number: str, own: Sequence[FeedEvent]) -> list[Form]:
    """Offer what can be recorded on the contract as it stands."""
    state = contract_state(own)
    if state is None:
        return []
    today = today_of(look.wiring).isoformat()
    offered: list[tuple[str, dict[str, str]]] = []
    if state.ended is None:
        if state.notice is None:
            offered.append(("GiveNotice", {"received_on": today}))
        else:
            offered.append(("RevokeNotice", {}))
        if state.letter is None:
            offered.append(("SendTerminationNotice", {"posted_on": today}))
        if state.distance_sale:
            offered.append(("WithdrawFromContract", {"received_on": today}))
    if state.letters_sent:
        offered.append(("RecordLetterReturned", {"returned_on": today}))
    offered.append(("CorrectPerson", {"person": state.person}))
    if state.ended is None and not state.accepted_claims:
        offered.append(("AnnulContract", {}))
    version = own[-1].version
    return [
        replace(
            form_of(
                command,
                number,
                offers=offers,
                fixed=frozenset({"person"}) if command == "CorrectPerson" else frozenset(),
                seen_version=version,
            ),
            command_id=new_command_id(),
        )
        for command, offers in offered
    ]


def contract_state(own: Sequence[FeedEvent]) -> Contract | None:
    """Fold a contract's own events into how it stands."""
    state = None
    for event in own:
        state = fold(state, event.recorded)
    return state if isinstance(state, Contract) else None


def contract_stream(look: PageRequest) -> StreamRef:
    """Return the stream of the contract in a page's address."""
    return contract_ref(number_in(look))
