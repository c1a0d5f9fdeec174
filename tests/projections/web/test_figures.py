"""Figures of whole books are what the lists add up to, carried from any position to any other."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from threading import Event, Thread

import pytest

from fixtures.served import WAIT_SECONDS
from ledger.app import App
from ledger.cli.up import IN_FRONT
from projections.listing import Filters
from projections.queries import cached_counts
from projections.queries.cached_counts import Figure, Groups, Rows
from projections.queries.figures import overview, today_figures
from projections.queries.list_pages import DueListFilter, ListFilter
from projections.queries.questions import list_claims, list_due
from projections.queries.reader import Reader
from projections.runner.rows import select
from projections.views.registry import LISTINGS, VIEWS
from projections.web.time_params import AskedTime, looking, today_of

WHOLE_COUNTS = 9
"""Questions on whole books that pages ask unless somebody searches."""


def test_the_calendar_counts_each_due_date_on_its_day(reader: Reader) -> None:
    everything = list_due(reader, Filters())
    days = sorted({row["due_on"] for row in everything}, key=str)
    first, end = days[len(days) // 4], days[len(days) * 3 // 4]
    assert isinstance(first, date)
    assert isinstance(end, date)
    for wanted in (DueListFilter(), DueListFilter(from_on=first), DueListFilter(from_on=first, before=end)):
        found = cached_counts.due_by_day(reader, wanted)
        counted = {(of_day.due_on, of_day.kind, of_day.status): of_day.number for of_day in found}
        assert counted == Counter(
            (row["due_on"], row["kind"], row["status"])
            for row in everything
            if (wanted.from_on is None or str(row["due_on"]) >= str(first))
            and (wanted.before is None or str(row["due_on"]) < str(end))
        )


def test_the_reports_add_up_what_the_lists_say(reader: Reader) -> None:
    claims, due = list_claims(reader, Filters()), list_due(reader, Filters())
    by_guarantee = cached_counts.claims_by_guarantee(reader)
    assert {row["guarantee"]: row["opened"] for row in by_guarantee} == Counter(
        row["guarantee"] for row in claims
    )
    assert sum(int(str(row["approved_cents"])) for row in by_guarantee) == sum(
        int(str(row["approved_cents"])) for row in claims
    )
    months = cached_counts.consumed_by_month(reader)
    assert sum(int(str(row["approved_cents"])) for row in months) == sum(
        int(str(row["approved_cents"])) for row in claims
    )
    refunds = [row for row in due if row["kind"] == "refund"]
    paid = cached_counts.refunds_by_days(reader, 15)
    assert sum(int(str(row["number"])) for row in paid) == sum(row["met_on"] is not None for row in refunds)
    waiting = cached_counts.refunds_waiting(reader)
    assert (waiting["open"], waiting["missed"]) == tuple(
        sum(row["status"] == status and row["met_on"] is None for row in refunds)
        for status in ("open", "missed")
    )


def by_status(register: str, asked: Mapping[str, object]) -> tuple[Figure, Mapping[str, object]]:
    return cached_counts.status_figure(LISTINGS[register], asked), asked


ASKED: Sequence[tuple[Figure, Mapping[str, object]]] = (
    by_status("contracts", ListFilter().asked()),
    by_status("contracts", ListFilter(before=date(2026, 1, 1)).asked()),
    by_status("claims", ListFilter(guarantee="payment").asked()),
    by_status("complaints", ListFilter().asked()),
    (cached_counts.DUE_BY_DAY, {}),
    (cached_counts.REFUNDS_BY_DAYS, {"promised": 15}),
    (cached_counts.CONSUMED_BY_MONTH, {}),
    (cached_counts.CLAIMS_BY_GUARANTEE, {}),
    (cached_counts.RESERVES_BY_GUARANTEE, {"guarantee": None, "year": None}),
    (cached_counts.DAYS_OF_COVER, {"until": date(2026, 6, 1), "year": None}),
)


@pytest.fixture
def whole_counts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the views of which a whole book was counted, one for each time."""
    cached_counts.KEPT.clear()
    times: list[str] = []
    whole = cached_counts.whole

    def counting_them(reader: Reader, figure: Figure, asked: Mapping[str, object]) -> Groups:
        times.append(figure.view.name)
        return whole(reader, figure, asked)

    monkeypatch.setattr(cached_counts, "whole", counting_them)
    return times


def anew(reader: Reader, figure: Figure, asked: Mapping[str, object]) -> Rows:
    """What the figure is when it is counted without what was kept."""
    found = select(reader.connection, figure.sql, figure.view.table, reader.source(figure.view), asked)
    return sorted(found, key=lambda row: [str(row[name]) for name in figure.by])


def test_a_figure_is_carried_from_any_position_to_any_other_and_counted_whole_once(
    lively: App, whole_counts: list[str]
) -> None:
    with looking(lively, VIEWS, AskedTime()) as newest:
        end = newest.position
    # Forward in small and large steps, and back.
    positions = [end // 3, end // 3 + 1, end // 2, end // 2 + 7, end // 4, end, end - 1, 0, end]
    for position in positions:
        with looking(lively, VIEWS, AskedTime(as_of=str(position))) as reader:
            for figure, asked in ASKED:
                found = cached_counts.counted(reader, figure, asked)
                told = sorted(found, key=lambda row: [str(row[name]) for name in figure.by])
                assert told == anew(reader, figure, asked), (figure.view.name, position)
    assert len(whole_counts) == len(ASKED)


@pytest.mark.parametrize(("most", "limit"), [("MOST_POSITIONS", 10), ("MOST_STREAMS", 2)])
def test_what_is_too_far_away_is_counted_anew(
    lively: App, whole_counts: list[str], monkeypatch: pytest.MonkeyPatch, most: str, limit: int
) -> None:
    monkeypatch.setattr(cached_counts, most, limit)
    figure, asked = ASKED[0]
    for position in ("100", "150"):
        with looking(lively, VIEWS, AskedTime(as_of=position)) as reader:
            assert cached_counts.counted(reader, figure, asked) == anew(reader, figure, asked)
    assert len(whole_counts) == 2


def test_a_day_is_counted_as_the_views_fold_it_each_time(lively: App, whole_counts: list[str]) -> None:
    figure, asked = ASKED[0]
    for _ in range(2):
        with looking(lively, VIEWS, AskedTime(on=date(2026, 1, 1))) as reader:
            assert cached_counts.counted(reader, figure, asked) == anew(reader, figure, asked)
    assert len(whole_counts) == 2


def test_figures_are_counted_ahead_in_the_process_that_serves_the_pages() -> None:
    assert {"http", "figures"} <= IN_FRONT


def test_what_pages_ask_is_counted_ahead_of_them(lively: App, whole_counts: list[str]) -> None:
    stop = Event()
    counting_ahead = Thread(target=lively.services["figures"], args=(lively, stop))
    counting_ahead.start()
    begun = time.monotonic()
    while len(whole_counts) < WHOLE_COUNTS and time.monotonic() - begun < WAIT_SECONDS:
        time.sleep(0.02)
    stop.set()
    counting_ahead.join(WAIT_SECONDS)
    assert not counting_ahead.is_alive()
    assert len(whole_counts) == WHOLE_COUNTS
    with looking(lively, VIEWS, AskedTime()) as reader:
        today_figures(reader, today_of(lively))
        overview(reader)
        cached_counts.reserves_by_guarantee(reader, today_of(lively))
        cached_counts.by_status(reader, LISTINGS["contracts"], ListFilter())
    assert len(whole_counts) == WHOLE_COUNTS
