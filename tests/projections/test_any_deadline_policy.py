"""Any kind of due date that is added is opened, missed and met once, and alike wherever it is folded."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import pytest
from book_in_memory import BookInMemory
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import deadlines
from ledger.domain.calendar import BRUSSELS, brussels_midnight
from ledger.domain.claim.events import AdviceGiven, ClaimantIdentified, ClaimOpened, ClaimWithdrawn
from ledger.domain.complaint.events import (
    ComplaintAcknowledged,
    ComplaintAnswered,
    ComplaintClosed,
    ComplaintLodged,
)
from ledger.domain.contract.events import (
    ContractAnnulled,
    ContractStarted,
    NoticeReceived,
    TerminationNoticeSent,
)
from ledger.domain.deadlines import (
    Deadline,
    DeadlineChange,
    DeadlinePolicy,
    DeadlineTable,
    cancelled,
    changes,
    met,
    opens,
)
from ledger.domain.event import DeadlineMissed, Event
from ledger.domain.identifiers import StreamKind
from ledger.feed.reader import FeedEvent
from projections.runner.view import Folding
from projections.views.due import DUE, DueRow
from schedulers.agenda import AgendaEntry, fold_entry, pending

BEGIN = date(2025, 1, 7)
KIND = "retention"
"""A kind that no event opens, so that it is free for any policy."""
LATER = datetime(2031, 1, 1, tzinfo=UTC)


class Subject(NamedTuple):
    """Of one kind of aggregate: how it begins, and commands that go on with it, by the events they record."""

    kind: StreamKind
    begins: type[Event]
    meets: Mapping[type[Event], tuple[str, Mapping[str, object], str | None]]
    """Event → the command, its fields, and the field that takes the day."""
    cancels: tuple[type[Event], tuple[str, Mapping[str, object], str | None]]


SUBJECTS = (
    Subject(
        "contract",
        ContractStarted,
        {
            NoticeReceived: ("GiveNotice", {"contract": "C", "channel": "email"}, "received_on"),
            TerminationNoticeSent: ("SendTerminationNotice", {"contract": "C", "tracking": "T"}, "posted_on"),
        },
        (ContractAnnulled, ("AnnulContract", {"contract": "C", "reason": "by mistake"}, None)),
    ),
    Subject(
        "claim",
        ClaimOpened,
        {
            ClaimantIdentified: ("IdentifyClaimant", {"claim": "K", "method": "callback"}, None),
            AdviceGiven: ("GiveAdvice", {"claim": "K", "topics": ["passwords"]}, None),
        },
        (ClaimWithdrawn, ("WithdrawClaim", {"claim": "K"}, None)),
    ),
    Subject(
        "complaint",
        ComplaintLodged,
        {
            ComplaintAcknowledged: ("AcknowledgeComplaint", {"complaint": "X"}, "on"),
            ComplaintAnswered: ("AnswerComplaint", {"complaint": "X"}, "on"),
        },
        (ComplaintClosed, ("CloseComplaint", {"complaint": "X"}, "on")),
    ),
)

BEGINNINGS: Sequence[tuple[str, Mapping[str, object]]] = (
    (
        "StartContract",
        {
            "contract": "C",
            "product": "cyber-care",
            "starts_on": BEGIN.isoformat(),
            "policyholder": {"person": "P", "name": "Ada Peeters"},
        },
    ),
    (
        "OpenClaim",
        {
            "claim": "K",
            "contract": "C",
            "guarantee": "payment",
            "cause": "fraud",
            "occurred_at": BEGIN.isoformat(),
            "channel": "phone",
            "victim": {"person": "P", "name": "Ada Peeters", "relation": "policyholder", "same_roof": True},
        },
    ),
    (
        "LodgeComplaint",
        {"complaint": "X", "contract": "C", "received_on": BEGIN.isoformat(), "subject": "nobody calls back"},
    ),
)


def line(number: int, day: date, command: str, fields: Mapping[str, object]) -> dict[str, object]:
    at = datetime.combine(day, time(9), BRUSSELS)
    return {"command_id": str(number), "command": command, "at": at.isoformat(), "data": dict(fields)}


def policy(subject: Subject, meeting: type[Event], days: int, *, from_raw: bool) -> DeadlinePolicy:
    """A further policy of a subject, due some days after it began."""
    return DeadlinePolicy(
        aggregate=subject.kind,
        kind=KIND,
        rule="R13",
        opened_by=(opens(subject.begins, lambda _: deadlines.rolled_forward(BEGIN + timedelta(days=days))),),
        met_by=(DeadlineChange(meeting, lambda row, recorded: met(row, recorded.effective_on)),),
        cancelled_by=(changes(subject.cancels[0], lambda row, _: cancelled(row)),),
        missed_at=deadlines.day_after_raw if from_raw else deadlines.day_after_due,
    )


def expected(
    feed: Sequence[FeedEvent], added: DeadlinePolicy, meeting: type[Event], cancel: type[Event]
) -> list[object]:
    """What becomes of the added row: its status, the day it was met on, how often it was missed."""
    opening, *_ = added.opened_by
    began = next(event for event in feed if event.stream.kind == added.aggregate)
    dates = opening.dates(began.recorded)
    assert dates is not None
    row = Deadline(began.stream, KIND, "R13", 1, dates.raw_due_on, dates.due_on, dates.alert_on)
    missed_at = brussels_midnight(added.takes_effect_on(row))
    mine = [
        event for event in feed if event.stream == began.stream and type(event.event) in {meeting, cancel}
    ]
    met_on = next((event.effective_on for event in mine if type(event.event) is meeting), None)
    before = [type(event.event) for event in mine if event.at < missed_at]
    if before:
        return ["met", met_on, 0] if before[0] is meeting else ["cancelled", None, 0]
    return ["missed", met_on, 1]


@given(
    st.tuples(*(st.sampled_from(sorted(subject.meets, key=str)) for subject in SUBJECTS)),
    st.tuples(*(st.tuples(st.integers(1, 90), st.booleans()) for _ in SUBJECTS)),
    st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.integers(1, 200)), max_size=8),
)
def test_any_policy_added_to_any_aggregate_is_opened_missed_and_met_once_everywhere(
    meetings: tuple[type[Event], ...],
    terms: tuple[tuple[int, bool], ...],
    steps: list[tuple[int, bool, int]],
) -> None:
    added = [
        policy(subject, meeting, days, from_raw=from_raw)
        for subject, meeting, (days, from_raw) in zip(SUBJECTS, meetings, terms, strict=True)
    ]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(deadlines, "DEADLINES", DeadlineTable((*deadlines.DEADLINES.policies, *added)))
        book = BookInMemory()
        for number, (command, fields) in enumerate(BEGINNINGS):
            assert book.submit(line(number, BEGIN, command, fields))
        for number, (which, cancels, days) in enumerate(sorted(steps, key=lambda step: step[2]), 10):
            subject, day = SUBJECTS[which], BEGIN + timedelta(days=days)
            command, fields, dated = subject.cancels[1] if cancels else subject.meets[meetings[which]]
            book.submit(line(number, day, command, {**fields, **({dated: day.isoformat()} if dated else {})}))
        book.elapse(LATER)

        agenda: dict[str, AgendaEntry] = {}
        due = Folding(DUE)
        for event in book.feed:
            entry = fold_entry(agenda.get(event.stream.name), event.recorded)
            assert entry is not None
            agenda[event.stream.name] = entry
            due.take(event)

    shown = [DueRow(*row) for row in due.standing()]  # type: ignore[arg-type]  # a row of its table
    for subject, meeting, one in zip(SUBJECTS, meetings, added, strict=True):
        [state] = [stream.state for ref, stream in book.standing.items() if ref.kind == subject.kind]
        assert state is not None
        [row] = [row for row in state.deadlines if row.kind == KIND]
        missed = [
            event.event
            for event in book.feed
            if isinstance(event.event, DeadlineMissed)
            and (event.event.kind, event.stream.kind) == (KIND, subject.kind)
        ]
        assert [row.status, row.met_on, len(missed)] == expected(book.feed, one, meeting, subject.cancels[0])
        assert [event.due_on for event in missed] in ([], [row.due_on])

        entry = agenda[state.ref.name]
        assert entry.state.deadlines == state.deadlines
        assert (row in pending(entry.state)) == (row.status == "missed" and row.met_on is None)
        [found] = [seen for seen in shown if (seen.kind, seen.subject) == (KIND, state.ref.subject)]
        assert replace(row, subject=state.ref) == Deadline(
            state.ref,
            KIND,
            "R13",
            found.seq,
            found.raw_due_on,
            found.due_on,
            found.alert_on,
            found.status,
            found.met_on,  # type: ignore[arg-type]  # as the row has them
        )
