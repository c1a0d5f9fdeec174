"""Forms that send commands: new contracts, claims and complaints, and what pages offer on them."""

import re
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from itertools import count
from typing import Final
from urllib.parse import quote

from ledger.command_handler import Answer
from ledger.domain.contract.events import ContractStarted
from ledger.domain.identifiers import StreamKind, StreamRef, contract_ref
from projections.listing import Filters
from projections.queries.questions import list_claims
from projections.queries.reader import known_end
from projections.web.form_submission import has_moved_on, new_command_id, refused, send, version_of
from projections.web.forms import LABELS, VERB_OF, Form, FormFault, Typed, form_of, read_typed
from projections.web.i18n.codes import N_
from projections.web.i18n.problems import BadParameter
from projections.web.page import PageRequest, page_of_request
from projections.web.renderer import PAGES, page_of
from projections.web.responses import Answer as PageAnswer
from projections.web.responses import Leads, Pages, Show, Shown
from projections.web.time_params import AskedTime, looking, read_whole, today_of

BEGINS: Final[Mapping[str, str]] = {
    "StartContract": "contracts",
    "OpenClaim": "claims",
    "LodgeComplaint": "complaints",
}
"""Commands that make a new stream, and the section they belong to."""

LONGEST_STEM: Final = 100
COMMAND_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")

SECTIONS: Final[Mapping[str, str]] = {"contract": "contracts", "claim": "claims", "complaint": "complaints"}

MOVED_ON: Final = N_(
    "Others recorded something here since you opened the page. Read what is new, then send it again."
)

NO_FORM: Final = N_("There is no form for “%(name)s”: go by a link of the site.")


def register_commands(pages: Pages) -> None:
    """Register the forms that begin something, and what takes every form."""
    for command, section in BEGINS.items():
        pages.page(f"/{section}/new", _begin(command), right="command", takes=("contract",))
    pages.form("/commands/{command}", take, right="command")


def _begin(command: str) -> Show:
    def show(look: PageRequest) -> Shown:
        form = _new(look, command, {"contract": look.query.get("contract", "")})
        return _form_page(look, replace(form, command_id=new_command_id()), HTTPStatus.OK)

    return show


def _new(look: PageRequest, command: str, given: Mapping[str, str]) -> Form:
    """Return the form of a command that begins a stream, with what is known already."""
    today = today_of(look.wiring).isoformat()
    offers = {
        "StartContract": {"starts_on": today, "concluded_on": ""},
        "OpenClaim": {
            "occurred_at": today,
            "reported_at": today,
            "channel": "phone",
            "victim.same_roof": "yes",
        },
        "LodgeComplaint": {"received_on": today},
    }[command]
    known = {name: value for name, value in given.items() if value}
    number = ""
    if command == "OpenClaim" and "contract" in known:
        known |= _victim_likeliest(look, known["contract"])
        number = _next_claim(look, known["contract"])
    return form_of(command, number, offers=offers | known)


def _next_claim(look: PageRequest, contract: str) -> str:
    """Offer the number after those of the contract's claims; the desk may type another."""
    with looking(look.wiring, ("claims",), AskedTime()) as reader:
        known = {str(row["claim"]) for row in list_claims(reader, Filters(contract=contract))}
    stem = f"CL-{contract.removeprefix('CC-')}"[:LONGEST_STEM]
    return next(number for n in count(1) if (number := f"{stem}-{n}") not in known)


def _victim_likeliest(look: PageRequest, number: str) -> Mapping[str, str]:
    """Offer the policyholder as the victim, which most callers are; the desk may type another."""
    ref = contract_ref(number)
    for recorded in look.wiring.store.load_many(look.wiring.book, [ref]).streams[ref].recorded:
        if isinstance(recorded.event, ContractStarted):
            return {"victim.person": recorded.event.policyholder.person, "victim.relation": "policyholder"}
    return {}


def take(look: PageRequest) -> PageAnswer:
    """Take a form: record it once and lead on, or show it again with what is wrong."""
    command = look.steps["command"]
    if command not in VERB_OF:
        raise BadParameter(NO_FORM, name=command[:60])
    form = _as_sent(look, command)
    typed = read_typed(form, look.typed)
    if typed.faults:
        return _form_page(look, _faulty(look, form, typed), HTTPStatus.UNPROCESSABLE_ENTITY)
    stream = StreamRef(_kind(form), str(typed.fields[form.subject]))
    if has_moved_on(look, form, stream):
        again = replace(form, seen_version=version_of(look.wiring, stream), faults=[look.words(MOVED_ON)])
        return _form_page(look, again, HTTPStatus.PRECONDITION_FAILED)
    answer = send(look, form, dict(typed.fields))
    if answer.said_no:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if answer.status == "invalid" else HTTPStatus.CONFLICT
        return _form_page(look, refused(look, form, answer), status)
    return Leads(f"{_next(stream, answer)}?done={quote(form.command_id)}")


def _next(stream: StreamRef, answer: Answer) -> str:
    """Return the page that the command's own stream is seen on."""
    named = {event.stream for event in answer.events}
    return page_of(stream.name) if stream.name in named or not named else page_of(min(named))


def _as_sent(look: PageRequest, command: str) -> Form:
    """Return the form as it came back, with what was typed in it."""
    seen = look.typed.get("seen_version", "")
    made = form_of(
        command,
        look.typed.get(VERB_OF[command].group, ""),
        seen_version=read_whole(seen),
    )
    unticked = {asked.name: "" for asked in made.fields if asked.kind == "truth"}
    return replace(made, command_id=_command_id(look)).filled(unticked | dict(look.typed))


def _command_id(look: PageRequest) -> str:
    """Return the id that the form carries; one that is none of ours is replaced."""
    carried = look.typed.get("command_id", "")
    return carried if COMMAND_ID.fullmatch(carried) else new_command_id()


def _faulty(look: PageRequest, form: Form, typed: Typed) -> Form:
    return replace(form, faults=[_said(look, fault) for fault in typed.faults], opened=True)


def _said(look: PageRequest, fault: FormFault) -> str:
    label = LABELS.get(fault.label, fault.label)
    return look.words(fault.message, field=look.words(label))


def _kind(form: Form) -> StreamKind:
    return form.subject  # type: ignore[return-value]  # the verbs' groups are the kinds of streams


def _form_page(look: PageRequest, form: Form, status: HTTPStatus) -> Shown:
    begins = form.command in BEGINS
    number = "" if begins else form.number
    with look.wiring.pool.connection() as connection:
        position = known_end(connection, look.wiring.book, ())
    page = page_of_request(look, SECTIONS[form.subject], position=position, has_json=False)
    values = {
        "page": page,
        "form": form,
        "begins": begins,
        "number": number,
        "home": PAGES[_kind(form)](number) if number else f"/{SECTIONS[form.subject]}",
    }
    return Shown("form.html", values, status)
