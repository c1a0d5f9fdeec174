"""Any policy added to any aggregate is opened, missed and met once, wherever its deadlines are followed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import get_args

import pytest
from book_in_memory import BookInMemory
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.calendar import brussels_midnight
from ledger.domain.claim import events as of_claim
from ledger.domain.codes import DeadlineKind, DeadlineRule
from ledger.domain.complaint import events as of_complaint
from ledger.domain.contract import events as of_contract
from ledger.domain.deadlines import (
    TABLES,
    Deadline,
    DeadlineTable,
    Opening,
    Policy,
    after_due,
    after_raw,
    met,
    on_the_day,
    rolled_back,
    rolled_forward,
)
from ledger.domain.event import DeadlineMissed, Event
from ledger.domain.identifiers import StreamKind, StreamRef, claim_ref, complaint_ref, contract_ref
from projections.runner.view import Folding
from projections.views.due import DueRow, due_view
from schedulers.agenda import (
    AgendaEntry,
    entry_from_json,
    entry_to_json,
    fold_entry,
    is_pending,
    pending_changes,
)

Command = tuple[str, Mapping[str, object]]

FIRST = date(2025, 1, 2)
BETWEEN_STEPS = timedelta(days=30)


def day_of(step: int) -> date:
    return FIRST + step * BETWEEN_STEPS


def at_of(step: int) -> datetime:
    return brussels_midnight(day_of(step)) + timedelta(hours=9)


@dataclass(frozen=True)
class Story:
    """Steps in the life of one subject, one each thirty days, and the event that each records."""

    stream: StreamRef
    steps: Sequence[tuple[Command, type[Event]]]
    before: Sequence[Command] = ()


START: Command = (
    "StartContract",
    {
        "contract": "C",
        "product": "cyber-care",
        "starts_on": str(FIRST),
        "policyholder": {"person": "P", "name": "Mila"},
    },
)
VICTIM = {"person": "P", "name": "Mila", "relation": "policyholder", "same_roof": True}
OPENED = {
    "contract": "C",
    "guarantee": "payment",
    "cause": "fraud",
    "occurred_at": str(FIRST),
    "channel": "phone",
    "victim": VICTIM,
}
STORIES: Mapping[StreamKind, Story] = {
    "contract": Story(
        contract_ref("C"),
        (
            (START, of_contract.ContractStarted),
            (("GiveNotice", {"received_on": str(day_of(1)), "channel": "email"}), of_contract.NoticeReceived),
            (("RevokeNotice", {"reason": "stays"}), of_contract.NoticeRevoked),
            (
                ("SendTerminationNotice", {"posted_on": str(day_of(3)), "tracking": "RR1BE"}),
                of_contract.TerminationNoticeSent,
            ),
            (("RecordLetterReturned", {"returned_on": str(day_of(4))}), of_contract.LetterReturned),
        ),
    ),
    "claim": Story(
        claim_ref("K"),
        (
            (("OpenClaim", OPENED), of_claim.ClaimOpened),
            (("IdentifyClaimant", {"method": "callback"}), of_claim.ClaimantIdentified),
            (("CompleteSubmission", {"completed_at": str(day_of(2))}), of_claim.SubmissionCompleted),
            (("AcceptClaim", {"loss_cents": 100}), of_claim.ClaimAccepted),
            (("IssueRefund", {"payment_reference": "PAY"}), of_claim.RefundIssued),
        ),
        before=(START,),
    ),
    "complaint": Story(
        complaint_ref("X"),
        (
            (
                ("LodgeComplaint", {"contract": "C", "received_on": str(FIRST), "subject": "late"}),
                of_complaint.ComplaintLodged,
            ),
            (("AcknowledgeComplaint", {"on": str(day_of(1))}), of_complaint.ComplaintAcknowledged),
            (("AnswerComplaint", {"on": str(day_of(2))}), of_complaint.ComplaintAnswered),
            (("EscalateToOmbudsman", {"on": str(day_of(3))}), of_complaint.ComplaintEscalated),
            (("RecordOmbudsmanOpinion", {"on": str(day_of(4))}), of_complaint.OmbudsmanOpinionReceived),
        ),
        before=(START,),
    ),
}


@dataclass(frozen=True)
class Case:
    aggregate: StreamKind
    policy: Policy
    raw_due_on: date
    opened_by: int
    met_by: int
    """Numbers of the steps that open and meet the row."""

    @property
    def story(self) -> Story:
        return STORIES[self.aggregate]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    aggregate = draw(st.sampled_from(list(STORIES)))
    opened_by = draw(st.integers(0, 3))
    met_by = draw(st.integers(opened_by + 1, 4))
    raw_due_on = day_of(opened_by) + timedelta(days=draw(st.integers(1, 200)))
    steps = STORIES[aggregate].steps
    policy = Policy(
        kind=draw(st.sampled_from([k for k in get_args(DeadlineKind) if k not in TABLES[aggregate].by_kind])),
        rule=draw(st.sampled_from(get_args(DeadlineRule))),
        dates=draw(st.sampled_from([on_the_day, rolled_forward, rolled_back])),
        opened_by=(Opening(steps[opened_by][1], lambda _event: raw_due_on),),
        met_by=(met(steps[met_by][1]),),
        missed_at=draw(st.sampled_from([after_due, after_raw])),
    )
    return Case(aggregate, policy, raw_due_on, opened_by, met_by)


@contextmanager
def added(case: Case) -> Iterator[None]:
    """Add a row to an aggregate's table."""
    table = TABLES[case.aggregate]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TABLES, case.aggregate, DeadlineTable(table.missed, (*table.policies, case.policy)))
        yield


def played(case: Case) -> BookInMemory:
    """Play a story, and let time act before each step and for a year after the last."""
    book, story = BookInMemory(), case.story
    for command in story.before:
        take(book, command, 0)
    for number, (command, _event) in enumerate(story.steps):
        book.elapse(at_of(number))
        name, fields = command
        take(book, (name, {story.stream.kind: story.stream.number} | dict(fields)), number)
    book.elapse(at_of(len(story.steps) + 12))
    return book


def take(book: BookInMemory, command: Command, step: int) -> None:
    name, fields = command
    line = {"command_id": name, "command": name, "data": fields, "at": at_of(step).isoformat()}
    assert book.submit(line), name


@settings(max_examples=150)
@given(cases())
def test_any_policy_is_opened_missed_and_met_once_in_aggregate_agenda_and_view_alike(case: Case) -> None:
    with added(case):
        book = played(case)
        view = due_view()
        folding: Folding[object] = Folding(view)  # type: ignore[arg-type]  # whatever it remembers
        entry: AgendaEntry | None = None
        stood: list[Deadline] = []
        noted: list[tuple[Deadline, ...]] = []
        for event in book.feed:
            if view.types is not None and event.type in view.types:
                folding.take(event)
            if event.stream != case.story.stream:
                continue
            before = entry
            entry = fold_entry(before, event.recorded)
            assert entry is not None
            assert entry_from_json(event.stream, entry.due_at, entry_to_json(entry)) == entry
            [*rows] = [row for row in entry.state.deadlines if row.kind == case.policy.kind]
            stood += [row for row in rows if row not in stood]
            shown = [DueRow(*row) for row in folding.standing()]  # type: ignore[arg-type]  # rows of this table
            assert [
                (row.rule, row.seq, row.raw_due_on, row.due_on, row.alert_on, row.status, row.met_on)
                for row in shown
                if (row.subject, row.kind) == (event.stream.subject, case.policy.kind)
            ] == [
                (row.rule, row.seq, row.raw_due_on, row.due_on, row.alert_on, row.status, row.met_on)
                for row in rows
            ]
            change = pending_changes(
                {} if before is None else {event.stream: before.state}, {event.stream: entry.state}
            )
            if change.streams:
                noted.append(tuple(row for row in change.rows if row.kind == case.policy.kind))
            assert [row for row in rows if is_pending(row)] == list(noted[-1] if noted else ())
            instant = brussels_midnight((case.policy.missed_at or after_due)(rows[0])) if rows else None
            if rows and rows[0].status == "open" and instant == entry.due_at:
                assert case.policy.kind in entry.kinds
        held = book.standing[case.story.stream].state

    raw_due_on, due_on, alert_on = case.policy.dates(case.raw_due_on)
    opened = Deadline(case.story.stream, case.policy.kind, case.policy.rule, 1, raw_due_on, due_on, alert_on)
    last_day = due_on if case.policy.missed_at is after_due else raw_due_on
    is_missed = last_day < day_of(case.met_by)
    met_on = day_of(case.met_by)
    assert [(row.status, row.met_on) for row in stood] == (
        [("open", None), ("missed", None), ("missed", met_on)]
        if is_missed
        else [("open", None), ("met", met_on)]
    )
    assert stood[0] == opened
    assert held is not None
    assert [row for row in held.deadlines if row.kind == case.policy.kind] == [stood[-1]]
    misses = [
        (event.event.rule, event.event.due_on, event.event.seq, event.effective_on)
        for event in book.feed
        if isinstance(event.event, DeadlineMissed)
        and (event.stream, event.event.kind) == (case.story.stream, case.policy.kind)
    ]
    day_missed = (case.policy.missed_at or after_due)(opened)
    assert misses == ([(case.policy.rule, due_on, 1, day_missed)] if is_missed else [])
