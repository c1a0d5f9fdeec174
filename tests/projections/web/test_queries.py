"""What pages ask of whole books is what the lists say, counted and put in order by hand."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product

import pytest

from fixtures.database import Template, migrated_database
from fixtures.program import settings_of
from fixtures.signed_book import record_signed_book
from ledger.settings import Settings
from ledger.wiring import Wiring, opened
from projections.asking.questions import (
    Filters,
    list_claims,
    list_complaints,
    list_contracts,
    list_due,
    list_limits,
)
from projections.asking.reader import Reader
from projections.asking.views import VIEWS
from projections.web import queries
from projections.web.asked import AskedTime, looking
from projections.web.queries import (
    CLAIMS,
    COMPLAINTS,
    CONTRACTS,
    DUE,
    KINDS,
    LIMITS,
    STATUSES,
    DuePlace,
    DueWanted,
    Wanted,
)
from projections.web.remembering import remembered

Rows = list[dict[str, object]]


@pytest.fixture(scope="module")
def lively(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wiring]:
    """A random history of contracts, claims and complaints, and the views of it."""
    with migrated_database(template) as database:
        settings = Settings.load(home=tmp_path_factory.mktemp("lively") / "home", **settings_of(database))
        with opened("training", settings, kind="simulated") as wiring:
            record_signed_book(wiring, 11, steps=220)
            yield wiring


@pytest.fixture(params=["now", "as_of", "on"])
def reader(lively: Wiring, request: pytest.FixtureRequest) -> Iterator[Reader]:
    """A reader of now, of an earlier position, or of an earlier day."""
    with lively.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select max(position) from ledger.log where book = %s", (lively.book,))
        [(end,)] = cursor.fetchall()
        cursor.execute("select max(effective_on) from ledger.events where book = %s", (lively.book,))
        [(last,)] = cursor.fetchall()
    asked = {
        "now": AskedTime(),
        "as_of": AskedTime(as_of=str(end * 2 // 3)),
        "on": AskedTime(on=last - timedelta(days=90)),
    }[request.param]
    with looking(lively, VIEWS, asked) as found:
        yield found


def pages_of_due(reader: Reader, wanted: DueWanted, limit: int) -> Rows:
    """All pages put together."""
    rows: Rows = []
    place = None
    while page := queries.due_page(reader.connection, reader.source(DUE), wanted, place, limit):
        rows += page
        last = page[-1]
        place = DuePlace(last["due_on"], int(str(last["subject_position"])), int(str(last["opening"])))  # type: ignore[arg-type]  # a date
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
        for wanted in (DueWanted(status, kind, None, day), DueWanted(status, kind, day, None)):
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
            counted = queries.due_counts(reader.connection, reader.source(DUE), wanted)
            assert counted == Counter(str(row["kind"]) for row in expected)


def test_the_calendar_counts_each_due_date_on_its_day(reader: Reader) -> None:
    everything = [row for row in list_due(reader, Filters()) if row["status"] != "cancelled"]
    found = queries.due_by_day(
        reader.connection, reader.source(DUE), DueWanted(from_on=date(2000, 1, 1), before=date(2100, 1, 1))
    )
    counted = {(row["due_on"], row["kind"], row["status"]): row["number"] for row in found}
    assert counted == Counter((row["due_on"], row["kind"], row["status"]) for row in everything)


def test_late_is_what_was_missed_and_is_still_to_do_and_no_letter(reader: Reader) -> None:
    number, rows = queries.late(reader.connection, reader.source(DUE), 1000)
    expected = [
        row
        for row in list_due(reader, Filters(status="missed"))
        if row["met_on"] is None and row["kind"] != "termination_letter"
    ]
    assert number == len(expected)
    assert sorted(plain(rows), key=str) == sorted(plain(expected), key=str)


@pytest.mark.parametrize("name", ["contracts", "claims", "complaints"])
def test_pages_of_a_list_are_the_list_from_its_end_and_its_facets_count_it(reader: Reader, name: str) -> None:
    view, listed, paged, counts = {
        "contracts": (CONTRACTS, list_contracts, queries.contracts_page, queries.contract_counts),
        "claims": (CLAIMS, list_claims, queries.claims_page, queries.claim_counts),
        "complaints": (COMPLAINTS, list_complaints, queries.complaints_page, queries.complaint_counts),
    }[name]
    for status in (None, "open", "active", "accepted", "cancelled"):
        rows: Rows = []
        below = None
        while page := paged(reader.connection, reader.source(view), Wanted(status=status), below, 2):
            rows += page
            below = int(str(page[-1]["opened_position"]))
        told = [{key: value for key, value in row.items() if key != "opened_position"} for row in rows]
        assert told == list(reversed(listed(reader, Filters(status=status))))
    counted = counts(reader.connection, reader.source(view), Wanted(status="open"))
    assert counted == Counter(str(row["status"]) for row in listed(reader, Filters()))


def test_limits_nearly_used_are_those_of_running_years_at_80_percent_or_out_of_claims(reader: Reader) -> None:
    everything = list_limits(reader, Filters())
    for today in {row["from_on"] for row in everything}:
        assert isinstance(today, date)
        expected = [row for row in everything if _is_nearly_used(row, today)]
        found = queries.nearly_used(reader.connection, reader.source(LIMITS), today, 80, 1000)
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


def test_the_reports_add_up_what_the_lists_say(reader: Reader) -> None:
    claims, due = list_claims(reader, Filters()), list_due(reader, Filters())
    by_guarantee = queries.claims_by_guarantee(reader.connection, reader.source(CLAIMS))
    assert {row["guarantee"]: row["opened"] for row in by_guarantee} == Counter(
        row["guarantee"] for row in claims
    )
    assert sum(int(str(row["approved_cents"])) for row in by_guarantee) == sum(
        int(str(row["approved_cents"])) for row in claims
    )
    months = queries.consumed_by_month(reader.connection, reader.source(CLAIMS))
    assert sum(int(str(row["approved_cents"])) for row in months) == sum(
        int(str(row["approved_cents"])) for row in claims
    )
    refunds = [row for row in due if row["kind"] == "refund"]
    paid = queries.refunds_by_days(reader.connection, reader.source(DUE), 15)
    assert sum(int(str(row["number"])) for row in paid) == sum(row["met_on"] is not None for row in refunds)
    waiting = queries.refunds_waiting(reader.connection, reader.source(DUE))
    assert (waiting["open"], waiting["missed"]) == tuple(
        sum(row["status"] == status and row["met_on"] is None for row in refunds)
        for status in ("open", "missed")
    )


def test_every_kind_of_due_date_is_asked_for(reader: Reader) -> None:
    assert {str(row["kind"]) for row in list_due(reader, Filters())} <= set(KINDS)


def test_what_counts_a_whole_book_is_computed_once_for_a_position_and_always_for_a_day(
    lively: Wiring,
) -> None:
    computed: list[int] = []

    def compute() -> int:
        computed.append(len(computed))
        return len(computed)

    for asked, times in ((AskedTime(), 1), (AskedTime(as_of="5"), 2), (AskedTime(on=date(2026, 1, 1)), 5)):
        for _ in range(3):
            with looking(lively, VIEWS, asked) as found:
                remembered(found, CONTRACTS, "a question of this test", compute)
        assert len(computed) == times
    with looking(lively, VIEWS, AskedTime()) as found:
        remembered(found, CONTRACTS, "another question", compute)
    assert len(computed) == 6
