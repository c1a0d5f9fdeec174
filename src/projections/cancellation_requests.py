"""Requests to cancel: received, sent a link, confirmed by it or by the desk, once, and settled."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final, Literal, NamedTuple
from uuid import UUID

from ledger.app import App
from ledger.attempts import Attempts
from ledger.command_envelope import submission
from ledger.command_handler import Answer
from ledger.domain.calendar import brussels_date, notice_deemed, notice_ends
from ledger.domain.contract.events import NoticeReceived
from ledger.domain.contract.state import Contract
from ledger.domain.dispatch import fold
from ledger.domain.identifiers import contract_ref
from ledger.store.pool import Connection
from ledger.store.sql import compose

State = Literal["waiting", "confirmed", "refused", "dismissed"]

LINK_LASTS: Final = timedelta(days=14)
"""A link confirms so long; after it the desk does."""

WORKER: Final = "cancellation"
"""Whoever mails the links, where its failed tries are shown."""

_COLUMNS: Final = f"""request::text, contract, received_at, received_on, state, mailed_at, mail_told,
    mail_tries, settled_at, settled_by, settled_because,
    exists (
        select from ledger.attempts where attempts.book = cancellation_requests.book
            and worker = '{WORKER}' and item = request::text and next_at is null
    ) as mail_parked"""

# Whether the number is a contract's is found out by the same statement that keeps the request, so that every
# number takes the same steps and gets the same answer. What is no contract's number is not kept, nor one that
# stands for several, unless it is written as one of them is.
_RECEIVE: Final = """
insert into projections.cancellation_requests (book, request, contract, received_at, received_on, mail_due_at)
select %(book)s, %(request)s,
    case count(*) when 1 then min(number) else min(number) filter (where number = %(number)s) end,
    %(received_at)s, %(received_on)s, clock_timestamp()
from (
    select substr(stream, 10) as number from ledger.events
    where book = %(book)s and version = 1 and stream like 'contract/%%'
        and ledger.folded_number(substr(stream, 10)) = ledger.folded_number(%(number)s)
) as alike
"""
_DUE: Final = """
select request::text from projections.cancellation_requests
where book = %s and state = 'waiting' and mail_due_at <= clock_timestamp() order by received_at, request
"""
# Whoever takes a request has it to themselves for a while: who dies while sending has it tried again.
_TAKE: Final = compose(
    """
update projections.cancellation_requests
set mail_tries = mail_tries + 1, mail_due_at = clock_timestamp() + interval '45 seconds'
where book = %s and request = %s and state = 'waiting' and mail_due_at <= clock_timestamp()
returning {columns}
""",
    columns=_COLUMNS,
)
_MAILED_LATELY: Final = """
select exists (
    select from projections.cancellation_requests
    where book = %s and contract = %s and mailed_at > clock_timestamp() - interval '1 day'
)
"""
_ADD_CODE: Final = """
update projections.cancellation_requests set codes = codes || %s::bytea where book = %s and request = %s
"""
_MAILED: Final = """
update projections.cancellation_requests
set mailed_at = clock_timestamp(), mail_due_at = null, mail_told = null
where book = %s and request = %s
"""
_NOT_MAILED: Final = """
update projections.cancellation_requests
set mail_told = %s, mail_due_at = clock_timestamp() + %s where book = %s and request = %s
"""
_SELECT: Final = compose("select {columns} from projections.cancellation_requests", columns=_COLUMNS)
_BY_CODE: Final = f"""
{_SELECT}
where book = %s and %s::bytea = any(codes) and mailed_at > clock_timestamp() - %s
"""
_BY_ID: Final = f"{_SELECT} where book = %s and request = %s"
_LIST: Final = f"""
{_SELECT}
where book = %(book)s and contract is not null and (%(state)s::text is null or state = %(state)s)
    and (%(contract)s::text is null or contract = %(contract)s)
order by received_at desc, request limit %(limit)s
"""
_SETTLE: Final = """
update projections.cancellation_requests
set state = %s, settled_at = clock_timestamp(), settled_by = %s, settled_because = %s, mail_due_at = null
where book = %s and request = %s and state = 'waiting'
"""
_FORGET: Final = """
delete from projections.cancellation_requests
where book = %s and contract is null and received_at < %s::timestamptz - interval '1 day'
"""

Fields = dict[str, object]


class CancellationRequest(NamedTuple):
    """One request. Instants are as the database gives them."""

    request: str
    contract: str | None
    received_at: datetime
    received_on: date
    state: State
    mailed_at: datetime | None
    mail_told: str | None
    mail_tries: int
    settled_at: datetime | None
    settled_by: str | None
    settled_because: str | None
    mail_parked: bool
    """Whether its link could not be mailed, and nobody tries any more."""

    @property
    def command_id(self) -> str:
        """Id of the notice that confirming sends: whoever confirms, and however often, gives one notice."""
        return f"cancellation-{self.request}"


def receive(connection: Connection, book: str, request: UUID, number: str, at: datetime) -> None:
    """Keep a request, durably, whatever number was typed. `at`: the book's present."""
    with connection.cursor() as cursor:
        cursor.execute(
            _RECEIVE,
            {
                "book": book,
                "request": str(request),
                "number": number,
                "received_at": at,
                "received_on": brussels_date(at),
            },
        )


def due_to_mail(connection: Connection, book: str) -> list[str]:
    """Return the requests whose link is to be sent, the first received first."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, (book,))
        return [request for (request,) in cursor]


def take_to_mail(connection: Connection, book: str, request: str) -> CancellationRequest | None:
    """Take a request to send its link; None where it was settled, or somebody else has taken it meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, (book, request))
        row = cursor.fetchone()
    return None if row is None else CancellationRequest._make(row)


def mailed_lately(connection: Connection, book: str, contract: str) -> bool:
    """Return whether a link on this contract was sent within a day: nobody is flooded with mail."""
    with connection.cursor() as cursor:
        cursor.execute(_MAILED_LATELY, (book, contract))
        return cursor.fetchone() == (True,)


def add_code(connection: Connection, book: str, request: str, code_sha256: bytes) -> None:
    """Store a code that confirms the request from now on."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD_CODE, (code_sha256, book, request))


def note_mailed(connection: Connection, book: str, request: str) -> None:
    """Write down that the link was sent."""
    with connection.cursor() as cursor:
        cursor.execute(_MAILED, (book, request))


def note_not_mailed(
    connection: Connection, book: str, request: str, told: str, again_in: timedelta | None = None
) -> None:
    """Write down why no link was sent. `again_in`: it is to be sent all the same, after so long."""
    with connection.cursor() as cursor:
        cursor.execute(_NOT_MAILED, (told, again_in, book, request))


def by_code(connection: Connection, book: str, code_sha256: bytes) -> CancellationRequest | None:
    """Return the request that a link's code confirms; None for one that was never sent, or is too old."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_CODE, (book, code_sha256, LINK_LASTS))
        row = cursor.fetchone()
    return None if row is None else CancellationRequest._make(row)


def by_id(connection: Connection, book: str, request: str) -> CancellationRequest | None:
    """Return a request by its id."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_ID, (book, request))
        row = cursor.fetchone()
    return None if row is None else CancellationRequest._make(row)


def requests(
    connection: Connection,
    book: str,
    *,
    state: str | None = None,
    contract: str | None = None,
    limit: int = 1000,
) -> Sequence[CancellationRequest]:
    """Return requests on contracts that there are, the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_LIST, {"book": book, "state": state, "contract": contract, "limit": limit})
        return [CancellationRequest._make(row) for row in cursor]


def settle(  # noqa: PLR0913, PLR0917  # what a settled request says
    connection: Connection, book: str, request: str, state: State, by: str, because: str | None = None
) -> bool:
    """End a request that waits; False when it was ended before."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, (state, by, because, book, request))
        return cursor.rowcount == 1


def forget_unknown(connection: Connection, book: str, now: datetime) -> int:
    """Drop what was typed for no contract, a day after it came; number of requests dropped."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, (book, now))
        return int(cursor.rowcount)


def shown(request: CancellationRequest) -> Fields:
    """Return a request as a row for lists and JSON."""
    return request._asdict()


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
    """Return the request that a link's code stands for."""
    with wiring.pool.connection() as connection:
        return by_code(connection, wiring.book, code_sha256(code))


def request_of_id(wiring: App, request: str) -> CancellationRequest | None:
    """Return a request by its id; None for none, or one for no contract."""
    if not REQUEST.fullmatch(request):
        return None
    with wiring.pool.connection() as connection:
        found = by_id(connection, wiring.book, request)
    return None if found is None or found.contract is None else found


def code_sha256(code: str) -> bytes:
    """Return what is kept of a code."""
    return sha256(code.encode()).digest()


def effect_if_confirmed(wiring: App, request: CancellationRequest) -> Effect | None:
    """Return what confirming would do (R4, R5); None where a notice stands or the contract has ended."""
    contract = _contract(wiring, request)
    if contract is None or contract.ended is not None or contract.notice is not None:
        return None
    periods = contract.applicable_terms.periods
    deemed_on = notice_deemed(contract.starts_on, request.received_on, periods)
    ends_on = min(notice_ends(deemed_on, periods), contract.letter.ends_on if contract.letter else date.max)
    return Effect(contract.number, request.received_on, deemed_on, ends_on)


def confirm(wiring: App, request: CancellationRequest, actor: str) -> tuple[Answer, Effect | None]:
    """Submit the notice that was received with the form; return its effect from what was recorded.

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
    """Return the effect of the notice that stands on the contract; None where none does."""
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
