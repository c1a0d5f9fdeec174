"""What is due when: a row for each deadline, met and missed too; and until when records are kept (R13)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, Final, NamedTuple, get_args

from pydantic import TypeAdapter

from ledger.domain.claim.events import ClaimMoved, ClaimOpened
from ledger.domain.codes import GUARANTEES, DeadlineKind, DeadlineStatus
from ledger.domain.complaint.events import ComplaintLodged
from ledger.domain.contract.events import ContractStarted
from ledger.domain.deadlines import LISTENED_TO, Deadline, fold_deadlines
from ledger.domain.event import Event
from ledger.domain.identifiers import StreamKind, StreamRef, contract_ref
from ledger.domain.retention import (
    LISTENED_TO as KEPT_BY,
)
from ledger.domain.retention import (
    KeptClaim,
    KeptContract,
    keep_claim,
    keep_contract,
    paid,
    retention,
)
from ledger.feed.reader import FeedEvent
from projections.listing import Column, DueOn, Filter, Kinds, Listing, RawDueOn, Status
from projections.runner.view import Folded, Since, Table, View

RANKS: Mapping[StreamKind, int] = {"contract": 0, "claim": 1, "complaint": 2}
"""Within a contract its own rows come first, then its claims', then its complaints'."""


class DueRow(NamedTuple):
    """One deadline of one subject, with what puts it in its place."""

    subject: Annotated[str, Column("On", "subject", "contract:C, claim:K or complaint:X.", "subject")]
    opening: Annotated[
        int, Column(help="Which of the subject's rows, in order of opening, from 0.", is_listed=False)
    ]
    subject_rank: int
    subject_position: int
    contract: Annotated[str, Column(help="Number of the contract.", is_listed=False)]
    contract_position: int
    guarantee: Annotated[str | None, Column(help="identity, payment, data or reputation.", is_listed=False)]
    kind: Kinds
    rule: Annotated[str, Column("Rule", "text", "The rule that the date follows from.")]
    seq: Annotated[int, Column(help="Which of the subject's rows of the kind, from 1.", is_listed=False)]
    raw_due_on: RawDueOn
    due_on: DueOn
    alert_on: Annotated[
        date, Column("Warn from", "day", "The working day on or before the raw date.", "alert")
    ]
    status: Status
    met_on: Annotated[date | None, Column("Met", "day", "When it was met, late too; null: not yet.")]


class DueSubject(NamedTuple):
    """A contract, claim or complaint and all its deadlines."""

    contract: str
    contract_position: int
    subject_position: int
    guarantee: str | None
    deadlines: tuple[Deadline, ...] = ()


TABLE = Table("projections.due", DueRow._fields, identity=2)


def fold(subject: DueSubject | None, event: FeedEvent, since: Since) -> Folded[DueSubject] | None:
    """Fold one event of a subject."""
    before = _placed(subject, event, since)
    if before is None:
        return None
    deadlines = fold_deadlines(before.deadlines, event.recorded)
    if before is subject and deadlines == before.deadlines:
        return None
    moved = subject is not None and before.contract != subject.contract
    known = len(before.deadlines)
    changed = (
        (opening, deadline)
        for opening, deadline in enumerate(deadlines)
        if moved or opening >= known or deadline != before.deadlines[opening]
    )
    after = before._replace(deadlines=deadlines)
    return Folded(after, [_row(event.stream, after, opening, deadline) for opening, deadline in changed])


def mentions(event: FeedEvent) -> str | None:
    """Return the contract whose place in the order the event's rows take."""
    match event.event:
        case ClaimOpened() | ClaimMoved() | ComplaintLodged() as belonging:
            return contract_ref(belonging.contract).name
        case _:
            return None


def _placed(subject: DueSubject | None, event: FeedEvent, since: Since) -> DueSubject | None:
    """Return to which contract the event's subject belongs from now on, and where that puts it."""
    match event.event:
        case ContractStarted():
            return DueSubject(event.stream.number, event.position, event.position, None)
        case ClaimOpened() as opened:
            position = since(contract_ref(opened.contract).name)
            return DueSubject(opened.contract, position, event.position, opened.guarantee)
        case ComplaintLodged() as lodged:
            return DueSubject(
                lodged.contract, since(contract_ref(lodged.contract).name), event.position, None
            )
        case ClaimMoved() as moved if subject is not None:
            position = since(contract_ref(moved.contract).name)
            return subject._replace(contract=moved.contract, contract_position=position)
        case _:
            return subject


def _row(stream: StreamRef, subject: DueSubject, opening: int, deadline: Deadline) -> DueRow:
    return DueRow(
        stream.subject,
        opening,
        RANKS[stream.kind],
        subject.subject_position,
        subject.contract,
        subject.contract_position,
        subject.guarantee,
        deadline.kind,
        deadline.rule,
        deadline.seq,
        deadline.raw_due_on,
        deadline.due_on,
        deadline.alert_on,
        deadline.status,
        deadline.met_on,
    )


_PLACING: frozenset[type[Event]] = frozenset({ContractStarted, ClaimOpened, ClaimMoved, ComplaintLodged})
_REMEMBERED = TypeAdapter(DueSubject)

DUE: View[DueSubject] = View(
    name="due",
    types=frozenset(event.stable_name for event in LISTENED_TO | _PLACING),
    table=TABLE,
    key_of=lambda event: event.stream.name,
    fold=fold,
    to_text=lambda subject: _REMEMBERED.dump_json(subject).decode(),
    from_text=_REMEMBERED.validate_json,
    mentions=mentions,
)


# What is due more than once by one rule from one day is told apart by its place among all of these, whatever
# is left out of a calendar: the name that it has there never changes.
_CALENDAR: Final = """
select subject, kind, rule, raw_due_on, due_on, alert_on, status, met_on, nth
from (
    select found.*, row_number() over (
        partition by subject, kind, raw_due_on order by contract_position, subject_position, opening
    ) as nth
    from ({found}) as found
) as named
where {where}
order by due_on, subject, kind, nth
"""

LISTED: Final = Listing(
    name="due",
    summary="What is due when, and what was met, missed or cancelled, by due date",
    row=DueRow,
    of=DUE,
    order=("due_on - date '1900-01-01'", "subject_position", "opening"),
    order_sql="due_on, subject_position, opening",
    filters=(
        Filter("contract", "Only this contract's, its claims' and its complaints'."),
        Filter("claim", "Only this claim's.", "subject = 'claim:' || %(claim)s"),
        Filter("guarantee", "Only of claims under this guarantee.", choices=GUARANTEES),
        Filter("from", "Only what is due on this date or later.", "due_on >= %(from_on)s"),
        Filter("before", "Only what is due before this date.", "due_on < %(before)s"),
        Filter("status", "Only rows with this status.", choices=get_args(DeadlineStatus)),
        Filter(
            "kind",
            "Only rows of this kind; `retention` stands in no other list.",
            choices=get_args(DeadlineKind),
        ),
    ),
    conditions={"subject": "subject = %(subject)s"},
    table="subject kind rule raw_due_on due_on alert_on status met_on",
    left_out="raw_due_on alert_on rule",
    page="due_on kind subject status alert_on met_on rule raw_due_on",
    page_spares="rule raw_due_on",
)

CALENDAR: Final = replace(
    LISTED,
    sql=_CALENDAR,
    conditions={"open_or_from": "status = 'open' or due_on >= %(open_or_from)s"},
)
"""The same, each row with its place among those of one name."""


TYPES = frozenset(event.stable_name for event in KEPT_BY)


def retentions(events: Iterable[FeedEvent]) -> list[dict[str, object]]:
    """Return the rows of these contracts, in the order in which they were recorded."""
    contracts: dict[str, KeptContract] = {}
    claims: dict[str, KeptClaim] = {}
    for event in events:
        if event.type not in TYPES:
            continue
        number = event.stream.number
        if event.stream.kind == "contract":
            contract = keep_contract(contracts.get(number), event.recorded)
            if contract is not None:
                contracts[number] = contract
        else:
            claim = keep_claim(claims.get(number), event.recorded)
            if claim is not None:
                claims[number] = claim
                if claim.contract in contracts:
                    contracts[claim.contract] = paid(contracts[claim.contract], claim)
    rows = [retention(contract) for contract in contracts.values()]
    return [
        {
            "subject": row.subject.subject,
            "kind": row.kind,
            "rule": row.rule,
            "raw_due_on": row.raw_due_on,
            "due_on": row.due_on,
            "alert_on": row.alert_on,
            "status": row.status,
            "met_on": None,
        }
        for row in rows
        if row is not None
    ]
