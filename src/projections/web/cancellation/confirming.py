"""Confirming a request: by the link's code or by the desk, it becomes the policyholder's notice, once."""

import re
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Final

from ledger.app import App
from ledger.attempts import Attempts
from ledger.command_envelope import submission
from ledger.command_handler import Answer
from ledger.domain.calendar import notice_deemed, notice_ends
from ledger.domain.contract.events import NoticeReceived
from ledger.domain.contract.state import Contract
from ledger.domain.dispatch import fold
from ledger.domain.identifiers import contract_ref
from projections.web.cancellation.requests import WORKER, CancellationRequest, by_code, by_id, settle
from projections.web.words.codes import N_
from projections.web.words.saying_no import NotThere

NO_REQUEST: Final = N_("There is no such request: see the list of those that wait.")
REQUEST: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

SENDER: Final = "site:cancellation"
"""Whoever confirms, the notice is sent under this name, so that its id is one."""
BY_LINK: Final = "cancellation-link"
"""Stands as the actor where the policyholder confirmed by the link."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a notice does to the contract: the exact end, and whether it was deferred to the gate."""

    contract: str
    received_on: date
    deemed_on: date
    ends_on: date
    """First day without cover (R5); where the contract ends earlier, that end."""


def request_of_code(wiring: App, code: str) -> CancellationRequest | None:
    """Give the request that a link's code stands for."""
    with wiring.pool.connection() as connection:
        return by_code(connection, wiring.book, code_sha256(code))


def request_of_id(wiring: App, request: str) -> CancellationRequest:
    """Give a request by its id. Raises `Rejected` for none."""
    found = None
    if REQUEST.fullmatch(request):
        with wiring.pool.connection() as connection:
            found = by_id(connection, wiring.book, request)
    if found is None or found.contract is None:
        raise NotThere(NO_REQUEST)
    return found


def code_sha256(code: str) -> bytes:
    """Give what is kept of a code."""
    return sha256(code.encode()).digest()


def effect_if_confirmed(wiring: App, request: CancellationRequest) -> Effect | None:
    """Say what confirming would do (R4, R5); None where a notice stands or the contract has ended."""
    contract = _contract(wiring, request)
    if contract is None or contract.ended is not None or contract.notice is not None:
        return None
    periods = contract.applicable_terms.periods
    deemed_on = notice_deemed(contract.starts_on, request.received_on, periods)
    ends_on = min(notice_ends(deemed_on, periods), contract.letter.ends_on if contract.letter else date.max)
    return Effect(contract.number, request.received_on, deemed_on, ends_on)


def confirm(wiring: App, request: CancellationRequest, actor: str) -> tuple[Answer, Effect | None]:
    """Give the notice that was received with the form, and say its effect from what was recorded.

    Confirmed twice, by the link and by the desk, it is one notice.
    """
    fields = {
        "contract": request.contract,
        "received_on": request.received_on.isoformat(),
        "channel": "web_form",
    }
    sent = submission(request.command_id, "GiveNotice", fields, actor=actor, sender=SENDER)
    answer = wiring.ledger.submit(sent)
    with wiring.pool.connection() as connection:
        settle(
            connection,
            wiring.book,
            request.request,
            "refused" if answer.said_no else "confirmed",
            actor,
            answer.code,
        )
    Attempts(wiring.pool, wiring.book, WORKER).forget(request.request)
    return answer, effect_recorded(wiring, request)


def effect_recorded(wiring: App, request: CancellationRequest) -> Effect | None:
    """Give the effect of the notice that stands on the contract; None where none does."""
    loaded = wiring.store.load_many(wiring.book, [contract_ref(str(request.contract))])
    notice: NoticeReceived | None = None
    for recorded in loaded.streams[contract_ref(str(request.contract))].recorded:
        if isinstance(recorded.event, NoticeReceived):
            notice = recorded.event
    contract = _contract(wiring, request)
    if notice is None or contract is None:
        return None
    return Effect(contract.number, notice.received_on, notice.deemed_on, contract.ends_on)


def _contract(wiring: App, request: CancellationRequest) -> Contract | None:
    ref = contract_ref(str(request.contract))
    state = None
    for recorded in wiring.store.load_many(wiring.book, [ref]).streams[ref].recorded:
        state = fold(state, recorded)
    return state if isinstance(state, Contract) else None
