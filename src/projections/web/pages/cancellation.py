"""Cancelling: the customer's public form, the link that confirms it, and the desk's list."""

from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from threading import Lock
from time import monotonic
from typing import Final
from unicodedata import category
from uuid import uuid4

from ledger.app import App
from ledger.attempts import Attempts
from ledger.clock import present
from ledger.domain.identifiers import LONGEST_NAME
from projections.cancellation_requests import (
    BY_LINK,
    WORKER,
    CancellationRequest,
    confirm,
    effect_if_confirmed,
    effect_recorded,
    receive,
    request_of_code,
    request_of_id,
    requests,
    settle,
    shown,
)
from projections.web.cancellation_mailer import FAILED, GIVEN_UP, NO_ADDRESS, NO_CONTRACT, SENT_LATELY
from projections.web.i18n.codes import N_
from projections.web.i18n.problems import NEXT_STEPS, NotThere
from projections.web.page import PageRequest, Said, page_of_request
from projections.web.responses import Answer, Leads, Pages, Shown
from projections.web.time_params import ALL, read_choice

MOST_ADDRESSES: Final = 50_000


class Rate:
    """At most `burst` at once, then one in `seconds`, for each address. Threads may share it."""

    def __init__(self, burst: int, seconds: float, *, now: Callable[[], float] = monotonic) -> None:
        """`now`: seconds of a steady clock, in tests."""
        self._burst = burst
        self._seconds = seconds
        self._now = now
        self._lock = Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, address: str) -> bool:
        """Return whether one more is allowed, and count it if so."""
        with self._lock:
            now = self._now()
            left, since = self._left.pop(address, (float(self._burst), now))
            left = min(self._burst, left + (now - since) / self._seconds)
            allowed = left >= 1
            self._left[address] = (left - 1 if allowed else left, now)
            if len(self._left) > MOST_ADDRESSES:
                self._left.popitem(last=False)
            return allowed


NO_REQUEST: Final = N_("There is no such request: see the list of those that wait.")

STATES: Final = ("waiting", "confirmed", "refused", "dismissed")

FORMS_AT_ONCE: Final = 5
SECONDS_A_FORM: Final = 120.0
ALL_AT_ONCE: Final = 100
SECONDS_FOR_ALL: Final = 1.0
EVERYBODY: Final = ""


class Cancellation:
    """The cancellation pages of one book."""

    def __init__(self, wiring: App) -> None:
        """`wiring`: the book."""
        self._wiring = wiring
        self._of_one = Rate(FORMS_AT_ONCE, SECONDS_A_FORM)
        self._of_all = Rate(ALL_AT_ONCE, SECONDS_FOR_ALL)

    def register(self, pages: Pages) -> None:
        """Register the public pages, and the desk's."""
        pages.page("/cancel", show_form, right=None)
        pages.form("/cancel", self.take, right=None)
        pages.page("/cancel/received", show_received, right=None)
        pages.page("/cancel/confirm", show_confirmation, right=None)
        pages.form("/cancel/confirm", self.confirm_by_link, right=None)
        pages.page("/cancellations", show_list, as_json, takes=("state", "done"), json_takes=("contract",))
        pages.form("/cancellations/{request}/confirm", confirm_by_desk, right="command")
        pages.form("/cancellations/{request}/dismiss", dismiss, right="command")

    def take(self, look: PageRequest) -> Answer:
        """Take the form: one answer, whatever number was typed."""
        number = _as_typed(look.typed.get("number", ""))[:LONGEST_NAME]
        if not number.isprintable() or not number:
            return _form(look, HTTPStatus.UNPROCESSABLE_ENTITY, "missing")
        if not (self._of_one.allows(look.address) and self._of_all.allows(EVERYBODY)):
            return _form(look, HTTPStatus.TOO_MANY_REQUESTS, "often")
        at = present(self._wiring.book_row(), self._wiring.now())
        with self._wiring.pool.connection() as connection:
            receive(connection, self._wiring.book, uuid4(), number, at)
        return Leads("/cancel/received")

    def confirm_by_link(self, look: PageRequest) -> Shown:
        """Confirm by the link's code, once however often it is pressed."""
        if not self._of_one.allows(f"confirm {look.address}"):
            return _form(look, HTTPStatus.TOO_MANY_REQUESTS, "often")
        request = request_of_code(self._wiring, look.typed.get("code", ""))
        if request is None:
            return _confirmation(look, "unknown", status=HTTPStatus.NOT_FOUND)
        answer, effect = confirm(self._wiring, request, BY_LINK)
        if answer.said_no:
            return _confirmation(look, "refused", effect=effect)
        return _confirmation(look, "confirmed", effect=effect)


def _as_typed(number: str) -> str:
    """Leave out of a number what nobody sees: blanks of any kind become one, marks of layout none."""
    seen = "".join(character for character in number if category(character) != "Cf")
    return " ".join(seen.split())


def show_form(look: PageRequest) -> Shown:
    """Show the public form."""
    return _form(look, HTTPStatus.OK, None)


def _form(look: PageRequest, status: HTTPStatus, fault: str | None) -> Shown:
    page = page_of_request(look, "", has_json=False)
    return Shown("cancel.html", {"page": page, "fault": fault}, status)


def show_received(look: PageRequest) -> Shown:
    """Show that the form came in: the same to everybody."""
    return Shown("cancel_received.html", {"page": page_of_request(look, "", has_json=False)})


def show_confirmation(look: PageRequest) -> Shown:
    """Show what confirming would do. Looking changes nothing: mail programs follow links too."""
    code = look.query.get("code", "")
    request = request_of_code(look.wiring, code)
    if request is None:
        return _confirmation(look, "unknown", status=HTTPStatus.NOT_FOUND)
    effect = effect_if_confirmed(look.wiring, request)
    if effect is None:
        state = "confirmed" if request.state == "confirmed" else "refused"
        return _confirmation(look, state, effect=effect_recorded(look.wiring, request))
    return _confirmation(look, "asked", effect=effect, link_code=code)


def _confirmation(
    look: PageRequest, state: str, *, status: HTTPStatus = HTTPStatus.OK, **told: object
) -> Shown:
    values = {"effect": None, "link_code": ""} | told
    page = page_of_request(look, "", has_json=False)
    return Shown("cancel_confirm.html", values | {"page": page, "state": state}, status)


def as_json(look: PageRequest) -> object:
    """Return what `cancellations list` prints."""
    with look.wiring.pool.connection() as connection:
        found = requests(
            connection,
            look.wiring.book,
            state=read_choice(look.query, "state", STATES),
            contract=look.query.get("contract") or None,
        )
    return [shown(request) for request in found]


def show_list(look: PageRequest) -> Shown:
    """Show the desk what came in."""
    state = read_choice({"state": "waiting", **look.query}, "state", (*STATES, ALL))
    with look.wiring.pool.connection() as connection:
        found = requests(connection, look.wiring.book, state=None if state == ALL else state, limit=200)
    said = None
    if "done" in look.query:
        request = _request(look, look.query["done"])
        effect = effect_recorded(look.wiring, request) if request.state == "confirmed" else None
        if effect is not None:
            ends = look.words(
                "Contract %(contract)s ends on %(day)s, the first day without cover.",
                contract=effect.contract,
                day=look.words.day(effect.ends_on),
            )
            said = Said(N_("Confirmed."), "good", ends)
        elif request.state == "refused":
            why = NEXT_STEPS.get(request.settled_because or "")
            said = Said(N_("Not recorded."), "late", look.words(why) if why else "")
        else:
            said = Said(N_("Dismissed: no notice was recorded."), "soon")
    return Shown(
        "cancellations.html",
        {
            "page": page_of_request(look, "contracts", said=said),
            "requests": found,
            "state": state or ALL,
            "states": STATES,
            "NEXT_STEPS": NEXT_STEPS,
            "TOLD": FAILED | {NO_CONTRACT, NO_ADDRESS, SENT_LATELY},
            "GIVEN_UP": GIVEN_UP,
        },
    )


def confirm_by_desk(look: PageRequest) -> Leads:
    """Confirm what a customer asked for, after the desk has made sure of who they are."""
    request = _request(look, look.steps["request"])
    confirm(look.wiring, request, look.visitor.actor)
    return Leads(f"/cancellations?done={request.request}")


def dismiss(look: PageRequest) -> Leads:
    """Set a request aside: the policyholder did not want it."""
    request = _request(look, look.steps["request"])
    with look.wiring.pool.connection() as connection:
        settle(connection, look.wiring.book, request.request, "dismissed", look.visitor.actor)
    Attempts(look.wiring.pool, look.wiring.book, WORKER).forget(request.request)
    return Leads(f"/cancellations?done={request.request}")


def _request(look: PageRequest, request: str) -> CancellationRequest:
    """Return a request by its id. Raises NotThere."""
    found = request_of_id(look.wiring, request)
    if found is None:
        raise NotThere(NO_REQUEST)
    return found
