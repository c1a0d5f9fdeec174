"""The views, folded from the feed of random histories, against the domain's own states."""

from collections.abc import Iterable
from typing import Any

import pytest
from book_in_memory import BookInMemory, random_book
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.claim.state import Claim
from ledger.domain.contract.state import Contract, limit_rows
from ledger.domain.terms import packaged_terms
from projections.runner.view import Folding, Row, View
from projections.views.due import DUE, DueRow
from projections.views.limits import LIMITS, LimitRow
from projections.views.registry import VIEWS

SEEDS = st.integers(0, 100_000)
SOME = settings(max_examples=30)


def folded(view: View[Any], book: BookInMemory) -> list[Row]:
    folding = Folding(view)
    folding.take_all(event for event in book.feed if view.types is None or event.type in view.types)
    return folding.standing()


def states(book: BookInMemory) -> Iterable[Any]:
    return (standing.state for standing in book.standing.values())


@SOME
@given(SEEDS)
def test_limits_are_those_that_the_contracts_hold(seed: int) -> None:
    book = random_book(seed)
    shown = {
        (row.contract, row.insurance_year, row.guarantee): row
        for row in (LimitRow(*row) for row in folded(LIMITS, book))  # type: ignore[arg-type]  # rows of this table
    }
    held = [
        row
        for state in states(book)
        if isinstance(state, Contract)
        for row in limit_rows(state, packaged_terms())
    ]
    assert len(shown) == len(held)
    for row in held:
        same = shown[row.contract, row.insurance_year, row.guarantee]
        assert (same.from_on, same.to_on) == (row.from_on, row.to_on)
        assert (same.amount_limit_cents, same.count_limit) == (row.amount_limit_cents, row.count_limit)
        assert same.amount_consumed_cents == row.amount_consumed_cents
        assert same.amount_reserved_cents == row.amount_reserved_cents
        assert (same.count_consumed, same.count_reserved) == (row.count_consumed, row.count_reserved)


@SOME
@given(SEEDS)
def test_due_rows_are_the_deadlines_of_every_stream_in_order_of_opening(seed: int) -> None:
    book = random_book(seed)
    shown = sorted((DueRow(*row) for row in folded(DUE, book)), key=lambda row: (row.subject, row.opening))  # type: ignore[arg-type]  # rows of this table
    held = sorted(
        ((deadline, opening) for state in states(book) for opening, deadline in enumerate(state.deadlines)),
        key=lambda row: (row[0].subject.subject, row[1]),
    )
    assert [(row.subject, row.kind, row.rule, row.seq, row.raw_due_on, row.due_on) for row in shown] == [
        (row.subject.subject, row.kind, row.rule, row.seq, row.raw_due_on, row.due_on) for row, _ in held
    ]
    assert [(row.alert_on, row.status, row.met_on) for row in shown] == [
        (row.alert_on, row.status, row.met_on) for row, _ in held
    ]


@SOME
@given(SEEDS)
def test_due_rows_name_the_contract_that_a_claim_is_on_now(seed: int) -> None:
    book = random_book(seed)
    claims = {state.ref.subject: state for state in states(book) if isinstance(state, Claim)}
    for row in (DueRow(*row) for row in folded(DUE, book)):  # type: ignore[arg-type]  # rows of this table
        if row.subject in claims:
            assert (row.contract, row.guarantee) == (
                claims[row.subject].contract,
                claims[row.subject].guarantee,
            )


@pytest.mark.slow
@SOME
@given(SEEDS, st.data())
def test_a_fold_that_is_broken_off_and_remembered_goes_on_as_if_it_had_not_been(
    seed: int, data: st.DataObject
) -> None:
    book = random_book(seed)
    cut = data.draw(st.integers(0, len(book.feed)))
    for view in VIEWS.values():
        wanted = [event for event in book.feed if view.types is None or event.type in view.types]
        whole, first = Folding(view), Folding(view)
        whole.take_all(wanted)
        first.take_all(event for event in wanted if event.position < cut)
        texts = {key: was._replace(memory=view.to_text(was.memory)) for key, was in first.remembered.items()}
        again = {key: was._replace(memory=view.from_text(was.memory)) for key, was in texts.items()}
        second = Folding(view, again)
        second.take_all(event for event in wanted if event.position >= cut)
        standing = {row[: view.table.identity]: row for row in first.standing()}
        standing |= {row[: view.table.identity]: row for row in second.standing()}
        assert standing == {row[: view.table.identity]: row for row in whole.standing()}
        assert second.remembered == whole.remembered


@SOME
@given(SEEDS)
def test_the_versions_of_a_row_follow_each_other_without_gap_or_overlap(seed: int) -> None:
    book = random_book(seed)
    for view in VIEWS.values():
        folding = Folding(view)
        folding.take_all(event for event in book.feed if view.types is None or event.type in view.types)
        versions: dict[Row, list[tuple[int, int | None]]] = {}
        for version in folding.versions:
            identity = version.row[: view.table.identity]
            versions.setdefault(identity, []).append((version.from_position, version.to_position))
        for spans in versions.values():
            assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]
            assert spans[-1][1] is None
