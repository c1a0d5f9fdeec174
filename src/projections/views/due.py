"""What is due when: a row for each deadline, met and missed too; and until when records are kept (R13)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from pydantic import TypeAdapter

from ledger.domain.claim.events import ClaimMoved, ClaimOpened
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
from projections.runner.view import Folded, Since, Table, View

RANKS: Mapping[StreamKind, int] = {"contract": 0, "claim": 1, "complaint": 2}
"""Within a contract its own rows come first, then its claims', then its complaints'."""


class DueRow(NamedTuple):
    """One deadline of one subject, with what puts it in its place."""

    subject: str
    opening: int
    """Which of the subject's rows, in order of opening, from 0."""
    subject_rank: int
    subject_position: int
    contract: str
    contract_position: int
    guarantee: str | None
    kind: str
    rule: str
    seq: int
    raw_due_on: date
    due_on: date
    alert_on: date
    status: str
    met_on: date | None


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


SELECT = """
select subject, kind, rule, raw_due_on, due_on, alert_on, status, met_on
from ({found}) as found
where (%(contracts)s::text[] is null or contract = any(%(contracts)s))
    and (%(subject)s::text is null or subject = %(subject)s)
    and (%(guarantee)s::text is null or guarantee = %(guarantee)s)
    and (%(before)s::date is null or due_on < %(before)s)
    and (%(from_on)s::date is null or due_on >= %(from_on)s)
    and (%(status)s::text is null or status = %(status)s)
    and (%(kind)s::text is null or kind = %(kind)s)
order by due_on, subject_position, opening
"""

# What is due more than once by one rule from one day is told apart by its place among all of these, whatever
# is left out of a calendar: the name that it has there never changes.
CALENDAR = """
select subject, kind, rule, raw_due_on, due_on, alert_on, status, met_on, nth
from (
    select found.*, row_number() over (
        partition by subject, kind, raw_due_on order by contract_position, subject_position, opening
    ) as nth
    from ({found}) as found
) as named
where (%(contracts)s::text[] is null or contract = any(%(contracts)s))
    and (%(subject)s::text is null or subject = %(subject)s)
    and (%(guarantee)s::text is null or guarantee = %(guarantee)s)
    and (%(before)s::date is null or due_on < %(before)s)
    and (%(from_on)s::date is null or due_on >= %(from_on)s)
    and (%(status)s::text is null or status = %(status)s)
    and (%(kind)s::text is null or kind = %(kind)s)
    and (%(open_or_from)s::date is null or status = 'open' or due_on >= %(open_or_from)s)
order by due_on, subject, kind, nth
"""


@dataclass(frozen=True, slots=True)
class DueFilter:
    """Which due rows are asked for; None asks for all."""

    contracts: Sequence[str] | None = None
    """Of these contracts, their claims and their complaints."""
    subject: str | None = None
    """Of one stream, as `claim:CL-1`."""
    guarantee: str | None = None
    """Of the claims under this guarantee."""
    before: date | None = None
    """Due before this date."""
    status: str | None = None
    kind: str | None = None
    from_on: date | None = None
    """Due on this date or later."""


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
