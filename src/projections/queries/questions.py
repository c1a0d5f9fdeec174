"""The questions that people and programs ask, answered in the shapes that scripts rely on."""

from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal, NamedTuple, assert_never, cast

from ledger.domain.codes import Language
from ledger.domain.identifiers import StreamRef
from ledger.domain.terms import Terms, load_terms
from ledger.errors import Rejected
from projections.queries.reader import NOTHING, Reader, persons_of
from projections.runner.rows import select, select_each
from projections.runner.view import View
from projections.views import claims as of_claims
from projections.views import complaints as of_complaints
from projections.views import contracts as of_contracts
from projections.views import due as of_due
from projections.views import limits as of_limits
from projections.views.claims import CLAIMS, ClaimsFilter
from projections.views.complaints import COMPLAINTS, ComplaintsFilter
from projections.views.contracts import CONTRACTS, ContractsFilter
from projections.views.due import DUE, DueFilter, retentions
from projections.views.limits import LIMITS, LimitsFilter

Purpose = Literal["assistance", "quality", "ombudsman"]

EVERYBODY: tuple[Purpose, ...] = ("assistance", "quality", "ombudsman")
FOR_A_CLAIM: tuple[Purpose, ...] = ("assistance",)
FOR_A_COMPLAINT: tuple[Purpose, ...] = ("quality", "ombudsman")

Shown = dict[str, object]


def documents_of(contract: Mapping[str, object]) -> list[Shown]:
    """Return the documents that applied when the contract was concluded, in its language."""
    terms = _terms(contract)
    return [document.model_dump() for document in terms.documents_in(cast("Language", contract["language"]))]


def contacts_of(contract: Mapping[str, object], purposes: tuple[Purpose, ...]) -> list[Shown]:
    """Return whom to turn to, for each purpose."""
    terms = _terms(contract)
    return [terms.contact(purpose).model_dump() for purpose in purposes]


def _terms(contract: Mapping[str, object]) -> Terms:
    return load_terms(str(contract["product"]), str(contract["terms"]))


Answer = dict[str, object]

LOOKED_BACK: Final = timedelta(days=30)
"""So long a calendar shows what is over."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed down to; None narrows nothing. `before` is exclusive."""

    contract: str | None = None
    claim: str | None = None
    guarantee: str | None = None
    before: date | None = None
    status: str | None = None
    kind: str | None = None
    """Of due rows."""
    from_on: date | None = None
    """Of due rows, inclusive."""


class Question(NamedTuple):
    """A list as the database is asked for it."""

    view: View[Any]
    sql: str
    wanted: ContractsFilter | ClaimsFilter | ComplaintsFilter | LimitsFilter | DueFilter
    scope: StreamRef | None
    """Whose streams can hold an answer; None: all."""


Listed = Literal["contracts", "claims", "complaints", "limits", "due"]


def list_contracts(reader: Reader, filters: Filters) -> list[Answer]:
    """Return contracts by position of their ContractStarted; `before` looks at `starts_on`."""
    return _at_once(reader, _contracts(filters))


def list_claims(reader: Reader, filters: Filters) -> list[Answer]:
    """Return claims by position of their ClaimOpened; `before` looks at the incident's date."""
    return _at_once(reader, _claims(filters))


def list_complaints(reader: Reader, filters: Filters) -> list[Answer]:
    """Return complaints by position of their ComplaintLodged; `before` looks at `received_on`."""
    return _at_once(reader, _complaints(filters))


def list_limits(reader: Reader, filters: Filters) -> list[Answer]:
    """Return limits. `claim`: those that its incident draws on; `status`: of the contract."""
    question = _limits(reader, filters)
    return [] if question is None else _at_once(reader, question)


def list_due(reader: Reader, filters: Filters) -> list[Answer]:
    """Return due rows by due date, those of one day by when their subject was recorded.

    `contract`: with its claims' and complaints'; `before` looks at `due_on`. Retention is asked for by its
    kind alone: it is a proposal to people, and time does nothing at its date.
    """
    return _retentions(reader, filters) if filters.kind == "retention" else _at_once(reader, _due(filters))


def list_calendar(reader: Reader, filters: Filters, today: date) -> list[Answer]:
    """Return due rows for a calendar, by date, each with its place among those of the same name (`nth`).

    Unless a status or days are asked for: what is open, and what was due in the last 30 days or will be.
    """
    if filters.kind == "retention":
        return [row | {"nth": 1} for row in _retentions(reader, filters)]
    question = _due(filters)
    is_narrowed = filters.status is not None or filters.from_on is not None or filters.before is not None
    asked = asdict(question.wanted) | {"open_or_from": None if is_narrowed else today - LOOKED_BACK}
    source = reader.source(question.view, question.scope)
    return select(reader.connection, of_due.CALENDAR, question.view.table, source, asked)


def each_row(reader: Reader, listed: Listed, filters: Filters) -> Generator[Answer, None, None]:
    """Yield a list's rows one by one, in constant memory.

    The reader's transaction must stay open until the last is taken, or until this is closed. What has to be
    folded for the question (`--on`, retention) is in memory all the same.
    """
    question = _question(reader, listed, filters)
    if question is None:
        yield from _retentions(reader, filters) if filters.kind == "retention" else ()
        return
    source = reader.source(question.view, question.scope)
    asked = asdict(question.wanted)
    yield from select_each(reader.connection, question.sql, question.view.table, source, asked)


def _at_once(reader: Reader, question: Question) -> list[Answer]:
    source = reader.source(question.view, question.scope)
    return select(reader.connection, question.sql, question.view.table, source, asdict(question.wanted))


def _question(reader: Reader, listed: Listed, filters: Filters) -> Question | None:
    """Return a list's question; None where no row can match, or none is in the database."""
    match listed:
        case "contracts":
            return _contracts(filters)
        case "claims":
            return _claims(filters)
        case "complaints":
            return _complaints(filters)
        case "limits":
            return _limits(reader, filters)
        case "due":
            return None if filters.kind == "retention" else _due(filters)
        case unknown:
            assert_never(unknown)


def _contracts(filters: Filters) -> Question:
    wanted = ContractsFilter(_one(filters.contract), filters.status, filters.before)
    return Question(CONTRACTS, of_contracts.SELECT, wanted, _scope(filters))


def _claims(filters: Filters) -> Question:
    wanted = ClaimsFilter(
        _one(filters.claim), _one(filters.contract), filters.guarantee, filters.before, filters.status
    )
    return Question(CLAIMS, of_claims.SELECT, wanted, _scope(filters))


def _complaints(filters: Filters) -> Question:
    wanted = ComplaintsFilter(None, _one(filters.contract), filters.claim, filters.before, filters.status)
    scope = _scope(Filters(contract=filters.contract))  # a complaint is no part of its claim's stream
    return Question(COMPLAINTS, of_complaints.SELECT, wanted, scope)


def _limits(reader: Reader, filters: Filters) -> Question | None:
    contract, guarantee, year = filters.contract, filters.guarantee, None
    if filters.claim is not None:
        drawing = list_claims(reader, Filters(contract, filters.claim, filters.guarantee))
        if not drawing or drawing[0]["insurance_year"] is None:
            return None
        contract, guarantee = str(drawing[0]["contract"]), str(drawing[0]["guarantee"])
        year = int(str(drawing[0]["insurance_year"]))
    numbers = _one(contract)
    if filters.status is not None:
        standing = list_contracts(reader, Filters(contract=contract, status=filters.status))
        numbers = [str(row["contract"]) for row in standing]
    wanted = LimitsFilter(numbers, guarantee, year, filters.before)
    return Question(LIMITS, of_limits.SELECT, wanted, _scope(Filters(contract=contract)))


def _due(filters: Filters) -> Question:
    subject = None if filters.claim is None else f"claim:{filters.claim}"
    wanted = DueFilter(
        _one(filters.contract),
        subject,
        filters.guarantee,
        filters.before,
        filters.status,
        filters.kind,
        filters.from_on,
    )
    return Question(DUE, of_due.SELECT, wanted, _scope(filters))


def _retentions(reader: Reader, filters: Filters) -> list[Answer]:
    """Return until when the records of ended contracts are kept: rows of contracts, never of claims."""
    if filters.claim is not None or filters.guarantee is not None:
        return []
    found = [
        row
        for row in retentions(reader.around(_scope(filters)))
        if (filters.contract is None or row["subject"] == f"contract:{filters.contract}")
        and (filters.status is None or row["status"] == filters.status)
        and (filters.before is None or cast("date", row["due_on"]) < filters.before)
        and (filters.from_on is None or cast("date", row["due_on"]) >= filters.from_on)
    ]
    return sorted(found, key=lambda row: cast("date", row["due_on"]))  # stable: then as they were recorded


def show_contract(reader: Reader, number: str) -> Answer:
    """Return one contract with its limits, due rows, claims, complaints, documents and contacts.

    Raises `Rejected` when it is not there at that time.
    """
    of_it = Filters(contract=number)
    rows = list_contracts(reader, of_it)
    if not rows:
        raise _not_there(reader, "contract", number)
    contract = rows[0]
    nested: Answer = {
        "limits": list_limits(reader, of_it),
        "due": list_due(reader, of_it),
        "claims": list_claims(reader, of_it),
        "complaints": list_complaints(reader, of_it),
        "documents": documents_of(contract),
        "contacts": contacts_of(contract, EVERYBODY),
    }
    return contract | nested | _named(reader, StreamRef("contract", number))


def show_claim(reader: Reader, number: str) -> Answer:
    """Return one claim with its due rows and the contacts that it needs.

    Raises `Rejected` when it is not there at that time.
    """
    rows = list_claims(reader, Filters(claim=number))
    if not rows:
        raise _not_there(reader, "claim", number)
    of_its_contract = list_contracts(reader, Filters(contract=str(rows[0]["contract"])))
    contacts = contacts_of(of_its_contract[0], FOR_A_CLAIM) if of_its_contract else []
    nested: Answer = {"due": list_due(reader, Filters(claim=number)), "contacts": contacts}
    return rows[0] | nested | _named(reader, StreamRef("claim", number))


def show_complaint(reader: Reader, number: str) -> Answer:
    """Return one complaint with its due rows and contacts. Raises `Rejected` when it is not there."""
    wanted, scope = ComplaintsFilter(complaints=[number]), StreamRef("complaint", number)
    rows = _at_once(reader, Question(COMPLAINTS, of_complaints.SELECT, wanted, scope))
    if not rows:
        raise _not_there(reader, "complaint", number)
    wanted_due = DueFilter(subject=f"complaint:{number}")
    its_due = _at_once(reader, Question(DUE, of_due.SELECT, wanted_due, scope))
    of_its_contract = list_contracts(reader, Filters(contract=str(rows[0]["contract"])))
    contacts = contacts_of(of_its_contract[0], FOR_A_COMPLAINT) if of_its_contract else []
    return rows[0] | {"due": its_due, "contacts": contacts}


def _named(reader: Reader, stream: StreamRef) -> Answer:
    """Return the persons, for a reader who opens them."""
    return {} if reader.opening is None else {"persons": persons_of(reader, reader.opening, stream)}


def _scope(filters: Filters) -> StreamRef | None:
    """Return whose streams can hold an answer: a claim's own, a contract's with those around it, or all."""
    if filters.contract is not None:
        return StreamRef("contract", filters.contract)
    return None if filters.claim is None else StreamRef("claim", filters.claim)


def _one(number: str | None) -> list[str] | None:
    return None if number is None else [number]


def _not_there(reader: Reader, kind: str, number: str) -> Rejected:
    time = "" if reader.on is None else f" on {reader.on}"
    known = ", which is empty" if reader.position == NOTHING else f" at position {reader.position}"
    return Rejected(
        f"There is no {kind} {number!r}{time} in book {reader.book}{known}: see `coverledger {kind} list`."
    )
