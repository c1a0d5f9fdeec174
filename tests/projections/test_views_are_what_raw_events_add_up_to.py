"""The views of random histories against a second reading that knows nothing but the raw events."""

from datetime import date

import pytest
from book_in_memory import BookInMemory, random_book
from hypothesis import given, settings
from hypothesis import strategies as st
from views_against_raw import agree, raw_of

from ledger.domain.claim.state import Claim
from ledger.domain.dispatch import fold
from ledger.domain.event import RecordedEvent
from projections.maintenance.checks import Version
from projections.runner.view import Folding, View
from projections.views.bordereau import BORDEREAU, BordereauRow
from recomputed.book import Recomputed

SEEDS = st.integers(0, 100_000)
SOME = settings(max_examples=25)


def folded(view: "View[object]", book: BookInMemory) -> list[Version]:
    folding = Folding(view)
    folding.take_all(event for event in book.feed if view.types is None or event.type in view.types)
    return [(version.from_position, version.to_position, version.row) for version in folding.versions]


@pytest.mark.slow
@SOME
@given(SEEDS)
def test_every_row_that_a_view_ever_shows_is_what_the_raw_events_by_then_add_up_to(seed: int) -> None:
    book = random_book(seed, steps=60)
    recomputed = Recomputed().take_all(map(raw_of, book.feed))
    assert agree(lambda view: folded(view, book), recomputed) > 0 or not book.feed


@SOME
@given(SEEDS)
def test_a_bordereau_shows_a_claim_as_it_stood_on_the_last_day_of_the_month(seed: int) -> None:
    book = random_book(seed, steps=60)
    rows = [BordereauRow(*row) for _, end, row in folded(BORDEREAU, book) if end is None]  # type: ignore[arg-type]  # of this table
    for row in rows:
        claim = on(book, row.claim, row.month)
        assert claim is not None
        assert (row.status, row.contract, row.incident_on) == (
            claim.status,
            claim.contract,
            claim.incident_on,
        )
        assert row.paid_before_cents + row.paid_cents == claim.refunded_cents
        assert row.recovered_before_cents + row.recovered_cents == claim.recovered_cents
        reserved = 0 if claim.reserved is None else claim.reserved.amount_cents
        assert row.outstanding_cents == claim.owed_cents + reserved


def on(book: BookInMemory, number: str, month: date) -> Claim | None:
    """The claim by all events that took effect by the end of the month, as `--on` has it."""
    state = None
    for event in book.feed:
        taken = event.effective_on.replace(day=1) <= month
        if event.stream.kind == "claim" and event.stream.number == number and taken:
            recorded = RecordedEvent(event.stream, event.version, event.event, event.effective_on, event.at)
            state = fold(state, recorded)
    return state if isinstance(state, Claim) else None
