"""On a day: the views, folded from what was effective by then, against the domain's own fold."""

from datetime import date
from typing import Any

import pytest
from book_in_memory import BookInMemory, random_book
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.claim.state import Claim
from ledger.domain.complaint.state import Complaint
from ledger.domain.contract.state import Contract, limit_rows
from ledger.domain.dispatch import State, fold
from ledger.domain.identifiers import StreamRef
from ledger.domain.terms import packaged_terms
from ledger.feed.reader import FeedEvent
from projections.runner.view import Folding, Row
from projections.views.claims import row_of as claim_row
from projections.views.complaints import row_of as complaint_row
from projections.views.contracts import row_of as contract_row
from projections.views.registry import VIEWS

SEEDS = st.integers(0, 100_000)
SOME = settings(max_examples=60)


def effective(book: BookInMemory, on: date, position: int) -> list[FeedEvent]:
    return [event for event in book.feed if event.effective_on <= on and event.position <= position]


def shown(book: BookInMemory, events: list[FeedEvent], name: str) -> list[Row]:
    view = VIEWS[name]
    first = {event.stream.name: event.position for event in reversed(book.feed)}
    folding = Folding(view, elsewhere=first.__getitem__)
    folding.take_all(event for event in events if view.types is None or event.type in view.types)
    return sorted(folding.standing(), key=str)


def states(events: list[FeedEvent]) -> dict[StreamRef, tuple[int, State]]:
    """Each stream's first position and its state."""
    found: dict[StreamRef, tuple[int, State]] = {}
    for event in events:
        position, before = found.get(event.stream, (event.position, None))
        state = fold(before, event.recorded)
        if state is not None:
            found[event.stream] = (position, state)
    return found


@SOME
@given(SEEDS, st.data())
def test_every_view_says_of_a_day_what_the_domain_folds_from_what_was_effective_by_then(
    seed: int, data: st.DataObject
) -> None:
    book = random_book(seed)
    days = sorted({event.effective_on for event in book.feed}) or [date(2026, 1, 1)]
    on = data.draw(st.sampled_from(days))
    position = data.draw(st.integers(-1, len(book.feed)))
    events = effective(book, on, position)
    held = list(states(events).values())

    registers: dict[str, tuple[type, Any]] = {
        "contracts": (Contract, contract_row),
        "claims": (Claim, claim_row),
        "complaints": (Complaint, complaint_row),
    }
    for name, (kind, row_of) in registers.items():
        wanted = [row_of(state, opened) for opened, state in held if isinstance(state, kind)]
        assert shown(book, events, name) == sorted(wanted, key=str)
    limits = {
        (row.contract, row.insurance_year, row.guarantee): (
            row.amount_consumed_cents,
            row.amount_reserved_cents,
            row.count_consumed,
            row.count_reserved,
        )
        for _, state in held
        if isinstance(state, Contract)
        for row in limit_rows(state, packaged_terms())
    }
    assert {row[:3]: (row[8], row[9], row[11], row[12]) for row in shown(book, events, "limits")} == limits
    due = [
        (row.subject.subject, opening, row.kind, row.due_on, row.status, row.met_on)
        for _, state in held
        for opening, row in enumerate(state.deadlines)
    ]
    found = [(row[0], row[1], row[7], row[11], row[13], row[14]) for row in shown(book, events, "due")]
    assert sorted(found, key=str) == sorted(due, key=str)


@SOME
@given(SEEDS, st.data())
def test_no_day_shows_more_consumed_than_the_limit_nor_less_than_nothing(
    seed: int, data: st.DataObject
) -> None:
    book = random_book(seed)
    days = sorted({event.effective_on for event in book.feed}) or [date(2026, 1, 1)]
    events = effective(book, data.draw(st.sampled_from(days)), len(book.feed))
    for row in shown(book, events, "limits"):
        limit, consumed, reserved, count_limit, count, count_reserved = row[7:13]
        assert min(consumed, reserved, count, count_reserved) >= 0, row
        assert limit is None or consumed + reserved <= limit, row
        assert count_limit is None or count + count_reserved <= count_limit, row


@pytest.mark.slow
@SOME
@given(SEEDS, st.data())
def test_on_any_day_a_claim_has_approved_what_its_loss_then_gives_and_paid_no_more(
    seed: int, data: st.DataObject
) -> None:
    book = random_book(seed, steps=120)
    days = sorted({event.effective_on for event in book.feed}) or [date(2026, 1, 1)]
    events = effective(book, data.draw(st.sampled_from(days)), len(book.feed))
    for _, state in states(events).values():
        if isinstance(state, Claim):
            net_cents = state.loss_cents - state.compensated_cents
            assert state.approved_cents + state.excess_cents == net_cents
            assert state.refunded_cents <= state.approved_cents
