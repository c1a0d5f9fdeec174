"""What pages ask of whole books is what the lists say, counted and put in order by hand."""

from collections import Counter
from datetime import date
from itertools import product

import pytest

from ledger.app import App
from projections.listing import Filters
from projections.queries import list_pages
from projections.queries.cached_counts import (
    by_status,
    due_counts,
    late_number,
)
from projections.queries.list_pages import (
    KINDS,
    STATUSES,
    DueListFilter,
    DuePageKey,
    ListFilter,
)
from projections.queries.questions import list_due, list_limits, rows_of
from projections.queries.reader import Reader
from projections.views.limits import LIMITS
from projections.views.registry import LISTINGS, VIEWS
from projections.web.time_params import AskedTime, looking

Rows = list[dict[str, object]]


def pages_of_due(reader: Reader, wanted: DueListFilter, limit: int) -> Rows:
    """All pages put together."""
    rows: Rows = []
    place = None
    while page := list_pages.due_page(reader, wanted, place, limit):
        rows += page
        last = page[-1]
        place = DuePageKey(last["due_on"], int(str(last["subject_position"])), int(str(last["opening"])))  # type: ignore[arg-type]  # a date
    return rows


def plain(rows: Rows) -> list[tuple[object, ...]]:
    return [
        tuple(row[name] for name in ("subject", "kind", "rule", "due_on", "status", "met_on")) for row in rows
    ]


def test_pages_of_due_dates_are_the_list_in_order_of_days_whatever_is_asked_for(reader: Reader) -> None:
    everything = list_due(reader, Filters())
    assert len(everything) > 10
    middle = sorted(str(row["due_on"]) for row in everything)[len(everything) // 2]
    for status, kind, bound in product((None, *STATUSES), (None, "refund", "term_end"), (None, middle)):
        day = None if bound is None else date.fromisoformat(bound)
        for wanted in (DueListFilter(status, kind, None, day), DueListFilter(status, kind, day, None)):
            expected = [
                row
                for row in everything
                if (status in {None, row["status"]})
                and (kind in {None, row["kind"]})
                and (wanted.before is None or str(row["due_on"]) < str(wanted.before))
                and (wanted.from_on is None or str(row["due_on"]) >= str(wanted.from_on))
            ]
            rows = pages_of_due(reader, wanted, 7)
            assert sorted(plain(rows), key=str) == sorted(plain(expected), key=str)
            days = [row["due_on"] for row in rows]
            assert days == sorted(days, key=str)
            assert due_counts(reader, wanted) == Counter(str(row["kind"]) for row in expected)


def test_late_is_what_was_missed_and_is_still_to_do_and_no_letter(reader: Reader) -> None:
    rows = list_pages.late(reader, 1000)
    expected = [
        row
        for row in list_due(reader, Filters(status="missed"))
        if row["met_on"] is None and row["kind"] != "termination_letter"
    ]
    assert late_number(reader) == len(expected)
    assert sorted(plain(rows), key=str) == sorted(plain(expected), key=str)


@pytest.mark.parametrize("name", ["contracts", "claims", "complaints"])
def test_pages_of_a_list_are_the_list_from_its_end_and_its_facets_count_it(reader: Reader, name: str) -> None:
    listing = LISTINGS[name]
    for status in (None, "open", "active", "accepted", "cancelled"):
        rows: Rows = []
        below = None
        while page := list_pages.page_of(reader, listing, ListFilter(status=status), below, 2):
            rows += page
            below = int(str(page[-1]["opened_position"]))
        told = [{key: value for key, value in row.items() if key != "opened_position"} for row in rows]
        assert told == list(reversed(rows_of(reader, listing, Filters(status=status))))
    counted = by_status(reader, listing, ListFilter(status="open"))
    assert counted == Counter(str(row["status"]) for row in rows_of(reader, listing, Filters()))


def test_limits_nearly_used_are_those_of_running_years_at_80_percent_or_out_of_claims(reader: Reader) -> None:
    everything = list_limits(reader, Filters())
    for today in {row["from_on"] for row in everything}:
        assert isinstance(today, date)
        expected = [row for row in everything if _is_nearly_used(row, today)]
        found = list_pages.nearly_used(reader.connection, reader.source(LIMITS), today, 80, 1000)
        assert sorted(found, key=str) == sorted(expected, key=str)


def _is_nearly_used(row: dict[str, object], today: date) -> bool:
    figures = {name: value for name, value in row.items() if isinstance(value, int)}
    used = figures["amount_consumed_cents"] + figures["amount_reserved_cents"]
    counted = figures["count_consumed"] + figures["count_reserved"]
    return (
        str(row["from_on"]) <= str(today) < str(row["to_on"])
        and counted > 0
        and (
            ("count_limit" in figures and counted >= figures["count_limit"])
            or ("amount_limit_cents" in figures and used * 100 >= figures["amount_limit_cents"] * 80)
        )
    )


def test_every_kind_of_due_date_is_asked_for(reader: Reader) -> None:
    assert {str(row["kind"]) for row in list_due(reader, Filters())} <= set(KINDS)


@pytest.mark.parametrize("before_the_end", [1, 40])
def test_due_dates_are_the_same_by_what_stands_now_and_by_all_that_ever_stood(
    lively: App, monkeypatch: pytest.MonkeyPatch, before_the_end: int
) -> None:
    with looking(lively, VIEWS, AskedTime()) as newest:
        position = newest.position - before_the_end
    told = []
    for most_ahead in (list_pages.MOST_AHEAD, 0):
        monkeypatch.setattr(list_pages, "MOST_AHEAD", most_ahead)
        with looking(lively, VIEWS, AskedTime(as_of=str(position))) as reader:
            told.append([pages_of_due(reader, DueListFilter(), limit) for limit in (5, 1000)])
    assert told[0] == told[1]
    assert told[0][0] == told[0][1]
