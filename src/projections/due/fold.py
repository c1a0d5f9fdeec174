"""How events change what is due: each subject's deadlines, folded by the domain's policies, one row each."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from pydantic import TypeAdapter

from ledger.domain.claim.events import ClaimMoved, ClaimOpened
from ledger.domain.complaint.events import ComplaintLodged
from ledger.domain.contract.events import ContractStarted
from ledger.domain.deadlines import LISTENED_TO, Deadline, fold_deadlines
from ledger.domain.event import Event
from ledger.domain.identifiers import StreamKind, StreamRef, contract_ref
from ledger.feed.reader import FeedEvent
from projections.folding.view import Folded, Since, Table, View

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


class Subject(NamedTuple):
    """A contract, claim or complaint and all its deadlines."""

    contract: str
    contract_position: int
    subject_position: int
    guarantee: str | None
    deadlines: tuple[Deadline, ...] = ()


TABLE = Table("projections.due", DueRow._fields, identity=2)


def fold(subject: Subject | None, event: FeedEvent, since: Since) -> Folded[Subject] | None:
    """Fold one event of a subject."""
    before = _placed(subject, event, since)
    if before is None:
        return None
    deadlines = tuple(fold_deadlines(before.deadlines, event.recorded))
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
    """Name the contract whose place in the order the event's rows take."""
    match event.event:
        case ClaimOpened() | ClaimMoved() | ComplaintLodged() as belonging:
            return contract_ref(belonging.contract).name
        case _:
            return None


def _placed(subject: Subject | None, event: FeedEvent, since: Since) -> Subject | None:
    """Say to which contract the event's subject belongs from now on, and where that puts it."""
    match event.event:
        case ContractStarted():
            return Subject(event.stream.number, event.position, event.position, None)
        case ClaimOpened() as opened:
            position = since(contract_ref(opened.contract).name)
            return Subject(opened.contract, position, event.position, opened.guarantee)
        case ComplaintLodged() as lodged:
            return Subject(lodged.contract, since(contract_ref(lodged.contract).name), event.position, None)
        case ClaimMoved() as moved if subject is not None:
            position = since(contract_ref(moved.contract).name)
            return subject._replace(contract=moved.contract, contract_position=position)
        case _:
            return subject


def _row(stream: StreamRef, subject: Subject, opening: int, deadline: Deadline) -> DueRow:
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
_REMEMBERED = TypeAdapter(Subject)

DUE: View[Subject] = View(
    name="due",
    types=frozenset(event.stable_name for event in LISTENED_TO | _PLACING),
    table=TABLE,
    key_of=lambda event: event.stream.name,
    fold=fold,
    to_text=lambda subject: _REMEMBERED.dump_json(subject).decode(),
    from_text=_REMEMBERED.validate_json,
    mentions=mentions,
)
