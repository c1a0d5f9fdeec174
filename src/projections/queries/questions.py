"""The questions that people and programs ask, answered in the shapes that scripts rely on."""

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal, cast

from ledger.domain.codes import Language
from ledger.domain.identifiers import StreamKind, StreamRef
from ledger.domain.terms import Terms, load_terms
from ledger.errors import Rejected
from projections.listing import Filters, Listing
from projections.queries.reader import NOTHING, Reader, persons_of
from projections.runner.rows import select, select_each
from projections.views.claims import LISTED as CLAIMS
from projections.views.complaints import LISTED as COMPLAINTS
from projections.views.contracts import LISTED as CONTRACTS
from projections.views.due import CALENDAR, retentions
from projections.views.due import LISTED as DUE
from projections.views.limits import LISTED as LIMITS

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


def rows_of(reader: Reader, listing: Listing, filters: Filters) -> list[Answer]:
    """Return a list's rows at once, in its order.

    Of limits, `claim` are those that its incident draws on, and `status` is that of the contract. Of due
    rows, `contract` is with its claims' and complaints'. Retention is asked for by its kind alone: it is a
    proposal to people, and time does nothing at its date.
    """
    if listing is DUE and filters.kind == "retention":
        return _retentions(reader, filters)
    asked = _asked(reader, listing, filters)
    return [] if asked is None else _selected(reader, listing, *asked)


def each_row(reader: Reader, listing: Listing, filters: Filters) -> Generator[Answer, None, None]:
    """Yield a list's rows one by one, in constant memory.

    The reader's transaction must stay open until the last is taken, or until this is closed. What has to be
    folded for the question (`--on`, retention) is in memory all the same.
    """
    if listing is DUE and filters.kind == "retention":
        yield from _retentions(reader, filters)
        return
    asked = _asked(reader, listing, filters)
    if asked is None:
        return
    narrowed, scope = asked
    source = reader.source(listing.view, scope)
    found = select_each(reader.connection, listing.query(narrowed), listing.view.table, source, narrowed)
    with closing(found):
        for row in found:
            yield _in_utc(listing, row)


def _selected(
    reader: Reader, listing: Listing, asked: Mapping[str, object], scope: StreamRef | None
) -> list[Answer]:
    view = listing.view
    found = select(reader.connection, listing.query(asked), view.table, reader.source(view, scope), asked)
    return [_in_utc(listing, row) for row in found]


def _in_utc(listing: Listing, row: Answer) -> Answer:
    """Return a row whose instants stand in UTC, whatever the zone of the session."""
    for column in listing.columns:
        value = row[column.name] if column.kind == "instant" else None
        if isinstance(value, datetime):
            row[column.name] = value.astimezone(UTC)
    return row


Asked = tuple[Mapping[str, object], StreamRef | None]
"""What a query takes, and whose streams can hold an answer (None: all)."""


def _asked(reader: Reader, listing: Listing, filters: Filters) -> Asked | None:
    """Return what a list's query is asked; None where no row can match."""
    if listing is LIMITS:
        return _asked_of_limits(reader, filters)
    return asdict(filters), _scope(listing, filters)


def _asked_of_limits(reader: Reader, filters: Filters) -> Asked | None:
    contract, guarantee, year = filters.contract, filters.guarantee, None
    if filters.claim is not None:
        drawing = list_claims(reader, Filters(contract, filters.claim, filters.guarantee))
        if not drawing or drawing[0]["insurance_year"] is None:
            return None
        contract, guarantee = str(drawing[0]["contract"]), str(drawing[0]["guarantee"])
        year = int(str(drawing[0]["insurance_year"]))
    numbers = None if contract is None else [contract]
    if filters.status is not None:
        standing = list_contracts(reader, Filters(contract=contract, status=filters.status))
        numbers = [str(row["contract"]) for row in standing]
    asked = {"contracts": numbers, "guarantee": guarantee, "insurance_year": year, "before": filters.before}
    return asked, _scope(LIMITS, Filters(contract=contract))


def list_contracts(reader: Reader, filters: Filters) -> list[Answer]:
    """Return contracts by position of their ContractStarted; `before` looks at `starts_on`."""
    return rows_of(reader, CONTRACTS, filters)


def list_claims(reader: Reader, filters: Filters) -> list[Answer]:
    """Return claims by position of their ClaimOpened; `before` looks at the incident's date."""
    return rows_of(reader, CLAIMS, filters)


def list_complaints(reader: Reader, filters: Filters) -> list[Answer]:
    """Return complaints by position of their ComplaintLodged; `before` looks at `received_on`."""
    return rows_of(reader, COMPLAINTS, filters)


def list_limits(reader: Reader, filters: Filters) -> list[Answer]:
    """Return limits. `claim`: those that its incident draws on; `status`: of the contract."""
    return rows_of(reader, LIMITS, filters)


def list_due(reader: Reader, filters: Filters) -> list[Answer]:
    """Return due rows by due date, those of one day by when their subject was recorded."""
    return rows_of(reader, DUE, filters)


def list_calendar(reader: Reader, filters: Filters, today: date) -> list[Answer]:
    """Return due rows for a calendar, by date, each with its place among those of the same name (`nth`).

    Unless a status or days are asked for: what is open, and what was due in the last 30 days or will be.
    """
    if filters.kind == "retention":
        return [row | {"nth": 1} for row in _retentions(reader, filters)]
    is_narrowed = filters.status is not None or filters.from_on is not None or filters.before is not None
    asked = asdict(filters) | {"open_or_from": None if is_narrowed else today - LOOKED_BACK}
    return _selected(reader, CALENDAR, asked, _scope(CALENDAR, filters))


def _retentions(reader: Reader, filters: Filters) -> list[Answer]:
    """Return until when the records of ended contracts are kept: rows of contracts, never of claims."""
    if filters.claim is not None or filters.guarantee is not None:
        return []
    found = [
        row
        for row in retentions(reader.around(_scope(DUE, filters)))
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
    scope = StreamRef("complaint", number)
    rows = _selected(reader, COMPLAINTS, {"complaint": number}, scope)
    if not rows:
        raise _not_there(reader, "complaint", number)
    its_due = _selected(reader, DUE, {"subject": scope.subject}, scope)
    of_its_contract = list_contracts(reader, Filters(contract=str(rows[0]["contract"])))
    contacts = contacts_of(of_its_contract[0], FOR_A_COMPLAINT) if of_its_contract else []
    return rows[0] | {"due": its_due, "contacts": contacts}


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One kind of stream, as it is shown: whole, with the lists that belong to it."""

    kind: StreamKind
    views: tuple[str, ...]
    show: Callable[[Reader, str], Answer]
    nested: tuple[str, ...]

    @property
    def plural(self) -> str:
        """As its list is called."""
        return f"{self.kind}s"


RECORDS: Final[Mapping[StreamKind, RecordKind]] = {
    "contract": RecordKind(
        "contract",
        ("contracts", "limits", "due", "claims", "complaints"),
        show_contract,
        ("limits", "due", "claims", "complaints", "documents", "contacts"),
    ),
    "claim": RecordKind("claim", ("claims", "contracts", "due"), show_claim, ("due", "contacts")),
    "complaint": RecordKind(
        "complaint", ("complaints", "contracts", "due"), show_complaint, ("due", "contacts")
    ),
}


def _named(reader: Reader, stream: StreamRef) -> Answer:
    """Return the persons, for a reader who opens them."""
    return {} if reader.opening is None else {"persons": persons_of(reader, reader.opening, stream)}


def _scope(listing: Listing, filters: Filters) -> StreamRef | None:
    """Return whose streams can hold an answer: a contract's with those around it, a claim's own, or all."""
    for kind in listing.scoped_by:
        number = getattr(filters, kind)
        if number is not None:
            return StreamRef(kind, number)
    return None


def _not_there(reader: Reader, kind: str, number: str) -> Rejected:
    time = "" if reader.on is None else f" on {reader.on}"
    known = ", which is empty" if reader.position == NOTHING else f" at position {reader.position}"
    return Rejected(
        f"There is no {kind} {number!r}{time} in book {reader.book}{known}: see `coverledger {kind} list`."
    )
