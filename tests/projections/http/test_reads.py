"""Reads over HTTP: the same rows as the command line's, by pages, at both times, after one's own writes."""

import csv
import io
import re
import threading
import time
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from icalendar import Calendar

from fixtures.desk import claim, contract, recorded_before
from fixtures.program import CommandLine
from fixtures.served import Served, token_of
from projections.http.list_routes import rows_asked
from projections.http.lists import path_of
from projections.http.reader import Time, reading
from projections.listing import Filters, Listing
from projections.queries.reader import plain_json
from projections.views.registry import LISTINGS

NAMES = [listing.name for listing in LISTINGS.values() if not listing.is_report]
REPORTS = [listing for listing in LISTINGS.values() if listing.is_report]


@pytest.fixture(scope="module")
def filled(house: Served) -> Served:
    for number in range(6):
        house.command("StartContract", contract(f"CC-{number}", f"202{number}-01-01"))
    for number in range(4):
        house.command("OpenClaim", claim(f"K-{number}", f"CC-{number}"))
        house.command("IdentifyClaimant", {"claim": f"K-{number}", "method": "callback"})
        house.command("CompleteSubmission", {"claim": f"K-{number}", "completed_at": "2026-02-03"})
    house.command("AcceptClaim", {"claim": "K-1", "loss_cents": 120_000})
    for number in range(3):
        lodged = {
            "complaint": f"X-{number}",
            "contract": "CC-1",
            "received_on": "2026-03-01",
            "subject": "slow",
        }
        house.command("LodgeComplaint", lodged)
    recorded_before(house.wiring, "OpenClaim", claim("K/5 é", "CC-5"))
    house.wiring.catch_up()
    return house


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_pages_give_each_row_once_in_the_order_of_the_whole_list(
    filled: Served, name: str, limit: int
) -> None:
    whole = filled.get(f"/{name}?limit=1000").json()
    rows, url, positions = [], f"/{name}?limit={limit}", set()
    while url:
        page = filled.get(url)
        positions.add(page.headers["Ledger-Position"])
        assert len(page.json()) <= limit
        rows += page.json()
        url = page.links.get("next", {}).get("url", "")
    assert rows == whole
    assert len(whole) >= 3
    assert len(positions) == 1


def test_pages_stand_for_one_position_whatever_is_recorded_meanwhile(filled: Served) -> None:
    first = filled.get("/contracts?limit=3&status=active")
    filled.command("StartContract", contract("CC-later"))
    filled.wiring.catch_up()
    rest = filled.get(first.links["next"]["url"])
    assert rest.headers["Ledger-Position"] == first.headers["Ledger-Position"]
    assert "CC-later" not in rest.text
    assert "status=active" in first.links["next"]["url"]
    assert "CC-later" in filled.get("/contracts").text


def in_csv(name: str, value: object) -> str:
    return f"{Decimal(str(value)) / 100:.2f}" if name.endswith("_cents") else str(value)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_address_downloads_all_rows_as_csv_and_xlsx(filled: Served, name: str) -> None:
    whole = filled.get(f"/{name}?limit=1000").json()
    text = filled.get(f"/{name}.csv")
    rows = list(csv.DictReader(io.StringIO(text.text)))
    assert [list(row.values()) for row in rows] == [
        ["" if value is None else in_csv(name, value) for name, value in row.items()] for row in whole
    ]
    book = filled.get(f"/{name}.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(book.content)).active
    assert sheet.max_row == len(whole) + 1
    position = book.headers["Ledger-Position"]
    assert book.headers["Content-Disposition"] == f'attachment; filename="{name}-{position}.xlsx"'


@pytest.mark.parametrize("listing", REPORTS, ids=lambda listing: listing.name)
def test_reports_come_as_on_the_command_line_by_pages_and_as_files(filled: Served, listing: Listing) -> None:
    path = path_of(listing)
    month = "&month=2026-02" if listing.name == "bordereau" else ""
    whole = filled.get(f"{path}?limit=1000{month}")
    with reading(filled.wiring, listing.views, Time(None, None, None, None)) as reader:
        filters = Filters(month=date(2026, 2, 1) if month else None)
        assert whole.json() == plain_json(rows_asked(reader, listing, filters))
    assert len(whole.json()) >= (1 if listing.name == "refunds" else 0)
    rows, url = [], f"{path}?limit=1{month}"
    while url:
        page = filled.get(url)
        rows += page.json()
        url = page.links.get("next", {}).get("url", "")
    assert rows == whole.json()
    query = month.replace("&", "?")
    text = list(csv.reader(io.StringIO(filled.get(f"{path}.csv{query}").text)))
    assert text[0] == [re.sub("_cents(?=_|$)", "", column.name) for column in listing.sheet.columns]
    assert len(text) == len(rows) + 1
    book = filled.get(f"{path}.xlsx{query}")
    assert openpyxl.load_workbook(io.BytesIO(book.content)).active.max_row == len(rows) + 1


def test_reports_are_narrowed_down_and_stand_at_both_times(filled: Served) -> None:
    assert [row["claim"] for row in filled.get("/reports/refunds?status=missed&claim=K-1").json()] == ["K-1"]
    accepted = filled.get("/reports/recoveries?status=accepted").json()
    assert [row["claim"] for row in accepted] == ["K-1"]
    assert filled.get(f"/reports/recoveries?status=accepted&as_of={accepted[0]['position'] - 1}").json() == []
    assert filled.get("/reports/timeline?on=2020-01-01").json() == []
    assert {row["guarantee"] for row in filled.get("/reports/guarantees?year=2026").json()} >= {"payment"}
    present = filled.get("/reports/bordereau?every=true").json()
    assert {row["month"] for row in present} == {"2026-03-01"}
    assert filled.get("/reports/bordereau?month=2026-13").status_code == 422
    assert filled.get("/reports/none").status_code == 404


def test_a_download_longer_than_a_page_holds_every_row(
    filled: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.http.reader.PAGE_ROWS", 2)
    whole = filled.get("/due?limit=1000").json()
    rows = list(csv.DictReader(io.StringIO(filled.get("/due.csv").text)))
    assert [row["subject"] for row in rows] == [row["subject"] for row in whole]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("contract=CC-1", ["K-1"]),
        ("status=accepted", ["K-1"]),
        ("guarantee=data", []),
        ("before=2026-02-01", []),
        ("contract=CC-1&status=open", []),
    ],
)
def test_lists_are_narrowed_down_as_on_the_command_line(
    filled: Served, query: str, numbers: list[str]
) -> None:
    assert [row["claim"] for row in filled.get(f"/claims?{query}").json()] == numbers


def test_both_times_are_asked_for_by_the_address(filled: Served) -> None:
    whole = filled.get("/events?limit=1000&types=claim.ClaimAccepted").json()
    accepted = int(whole[0]["sequence"])
    before = filled.get(f"/claims/K-1?as_of={accepted - 1}")
    assert (before.json()["status"], before.headers["Ledger-Position"]) == ("submitted", str(accepted - 1))
    assert filled.get(f"/claims/K-1?as_of={accepted}").json()["status"] == "accepted"
    assert filled.get("/contracts/CC-1?on=2020-12-31").status_code == 404
    on = filled.get("/limits?contract=CC-1&on=2021-06-01").json()
    assert {row["insurance_year"] for row in on} == {1}


@pytest.mark.parametrize(
    "query",
    [
        *("as_of=never", "as_of=99999999", "as_of=2026-03-01T09:00:00", "on=2026-02-30", "on=20260301"),
        *(
            "limit=0",
            "limit=1001",
            "after=x",
            "after=1.2",
            "status=nothing",
            "before=soon",
            "on=1",
            "contract=",
        ),
        *("min_position=x", "min_position=1000000", "min_command=never-sent"),
    ],
)
def test_what_is_no_time_filter_or_page_is_a_problem_in_one_line(filled: Served, query: str) -> None:
    refused = filled.get(f"/limits?{query}")
    assert (refused.status_code, refused.json()["code"]) == (422, "INVALID")
    assert "\n" not in refused.json()["detail"]
    assert "--" not in refused.json()["detail"]


def test_a_number_may_hold_what_addresses_make_special(filled: Served) -> None:
    shown = filled.get("/claims/K%2F5%20%C3%A9")
    assert (shown.status_code, shown.json()["claim"]) == (200, "K/5 é")
    told = filled.get("/claims/K%2F5%20%C3%A9/replay").json()
    assert told[0]["stream"] == "claim/K/5 é"


@pytest.mark.parametrize("kind", ["contract", "claim", "complaint"])
def test_what_is_not_there_is_not_found(filled: Served, kind: str) -> None:
    for path in ("", "/history", "/replay"):
        missing = filled.get(f"/{kind}s/none{path}")
        assert (missing.status_code, missing.json()["code"]) == (404, "NOT_FOUND")


def test_a_read_waits_for_the_callers_own_write(filled: Served) -> None:
    sent = filled.command("StartContract", contract("CC-own"), key="own-write")
    # Nobody follows the feed here until a moment from now.
    following = threading.Timer(0.4, lambda: filled.wiring.catch_up("contracts"))
    following.start()
    begun = time.monotonic()
    read = filled.get("/contracts?min_command=own-write&limit=1000")
    assert time.monotonic() - begun > 0.3
    assert "CC-own" in read.text
    assert int(read.headers["Ledger-Position"]) >= int(sent.headers["Ledger-Position"])
    following.join()
    by_position = filled.get(f"/contracts?min_position={sent.headers['Ledger-Position']}&limit=1000")
    assert "CC-own" in by_position.text


def test_a_command_of_somebody_else_cannot_be_waited_for(filled: Served) -> None:
    assert filled.get("/contracts?min_command=own-write", "back_office").status_code == 422


def test_a_view_that_does_not_catch_up_is_said_to_be_behind(
    filled: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.http.reader.PATIENCE_SECONDS", 0.1)
    sent = filled.command("StartContract", contract("CC-behind"), key="behind")
    behind = filled.get(f"/contracts?min_position={sent.headers['Ledger-Position']}")
    assert (behind.status_code, behind.json()["code"], behind.headers["Retry-After"]) == (
        503,
        "VIEW_LAGGING",
        "1",
    )


def test_the_etag_of_a_read_is_the_version_for_if_match(filled: Served) -> None:
    seen = filled.get("/claims/K-2").headers["ETag"]
    stale = filled.command("WithdrawClaim", {"claim": "K-2"}, key="if-1", headers={"If-Match": '"1"'})
    fresh = filled.command("WithdrawClaim", {"claim": "K-2"}, key="if-1", headers={"If-Match": seen})
    assert (seen, stale.status_code, fresh.status_code) == ('"4"', 412, 201)


def test_personal_values_open_by_a_route_of_their_own_for_a_reason_that_is_logged(filled: Served) -> None:
    assert "Peeters" not in filled.get("/contracts/CC-1").text
    assert "Peeters" not in filled.get("/contracts/CC-1/replay").text
    refused = filled.get("/contracts/CC-1/opened", "importer", headers={"Access-Reason": "curiosity"})
    assert refused.status_code == 403
    for reason in ({}, {"Access-Reason": "  "}, {"Access-Reason": "x" * 501}):
        assert filled.get("/contracts/CC-1/opened", headers=reason).status_code == 422
    opened = filled.get(
        "/contracts/CC-1/opened",
        "auditor",
        headers={"Access-Reason": "complaint of 1 March, Réf. 7".encode()},
    )
    assert opened.json()["persons"][0]["name"] == "Ada Peeters"
    with filled.wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select who, what, why, person, stream from ledger.access_log")
        lines = cursor.fetchall()
    assert lines
    assert {line[:3] for line in lines} == {("auditor", "http contract show", "complaint of 1 March, Réf. 7")}
    assert ("P-CC-1", "contract/CC-1") in {line[3:] for line in lines}


def test_fault_22_the_calendar_holds_what_is_open_and_the_last_30_days_and_nobodys_name(
    filled: Served,
) -> None:
    token = token_of(filled.wiring, "calendar")
    answer = filled.client.get(f"{filled.base}/due.ics", params={"token": token})
    events = Calendar.from_ical(answer.text).walk("VEVENT")
    rows = filled.get("/due?limit=1000").json()
    recent = [row for row in rows if row["status"] == "open" or row["due_on"] >= "2026-01-30"]
    assert len(events) == len(recent) < len(rows)
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert "Peeters" not in answer.text


def test_fault_22_the_calendar_is_narrowed_down_as_the_list_is_and_no_uid_ever_changes(
    filled: Served,
) -> None:
    def uids(**asked: str) -> dict[str, str]:
        text = filled.get("/due.ics", params=asked).text
        return {str(event["UID"]): str(event["SUMMARY"]) for event in Calendar.from_ical(text).walk("VEVENT")}

    rows, whole = filled.get("/due?limit=1000").json(), uids(**{"from": "1900-01-01"})
    assert len(whole) == len(rows)
    asked = ({"status": "met"}, {"contract": "CC-1"}, {"kind": "refund"}, {"before": "2024-01-01"}, {})
    for narrowed in ({"status": "missed"}, {"claim": "K-1", "from": "2020-01-01"}, *asked):
        some = uids(**narrowed)
        assert some.items() <= whole.items()
    missed = [row for row in rows if row["status"] == "missed"]
    assert len(uids(status="missed")) == len(missed) > 0
    tag = filled.get("/due.ics").headers["ETag"]
    assert filled.get("/due.ics", headers={"If-None-Match": tag}).status_code == 304


def test_fault_20_kind_and_from_narrow_due_dates_down_and_what_comes_whole_comes_by_pages(
    filled: Served,
) -> None:
    rows = filled.get("/due?limit=1000").json()
    for asked, wanted in (
        ({"kind": "refund"}, [row for row in rows if row["kind"] == "refund"]),
        ({"from": "2026-01-01"}, [row for row in rows if row["due_on"] >= "2026-01-01"]),
    ):
        assert filled.get("/due", params=asked | {"limit": "1000"}).json() == wanted != rows
    whole = filled.get("/due?kind=retention&limit=1000").json()
    paged, url = [], "/due?kind=retention&limit=1"
    while url:
        page = filled.get(url)
        paged += page.json()
        url = page.links.get("next", {}).get("url", "")
    assert paged == whole


def test_fault_24_what_the_client_has_already_is_not_sent_again_and_what_moved_is(served: Served) -> None:
    served.command("StartContract", contract("CC-1"), key="a")
    served.wiring.catch_up()
    tag = served.get("/contracts/CC-1").headers["ETag"]
    for told in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = served.get("/contracts/CC-1", headers={"If-None-Match": told})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert served.get("/contracts/CC-1", headers={"If-None-Match": '"7"'}).status_code == 200
    served.command("OpenClaim", claim("K-1", "CC-1"), key="b")
    served.wiring.catch_up()
    before = served.get("/contracts/CC-1", headers={"If-None-Match": tag})
    assert before.status_code == 200
    # The contract's own stream stands still, and yet it shows another state of its claim.
    tag = before.headers["ETag"]
    served.command("IdentifyClaimant", {"claim": "K-1", "method": "callback"}, key="c")
    served.command("CompleteSubmission", {"claim": "K-1", "completed_at": "2026-02-03"}, key="d")
    served.wiring.catch_up()
    moved = served.get("/contracts/CC-1", headers={"If-None-Match": tag})
    assert (moved.status_code, moved.headers["ETag"]) == (200, tag)
    assert moved.json() != before.json()
    head = served.client.head(f"{served.base}/claims/K-1", headers=served.bearing("admin"))
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(served.get("/claims/K-1").content)


def test_the_rows_are_those_that_the_command_line_prints(served: Served, command_line: CommandLine) -> None:
    for number in range(3):
        served.command("StartContract", contract(f"CC-{number}"), key=f"s{number}")
    served.command("OpenClaim", claim("K-1", "CC-1"), key="o")
    served.wiring.catch_up()
    for path, words in (
        ("/contracts", ("contract", "list")),
        ("/claims", ("claim", "list")),
        ("/limits", ("limits",)),
        ("/due", ("due",)),
        ("/contracts/CC-1", ("contract", "show", "CC-1")),
        ("/claims/K-1", ("claim", "show", "K-1")),
        ("/contracts/CC-1/history", ("contract", "history", "CC-1")),
        ("/contracts/CC-1/replay", ("replay", "CC-1")),
        ("/claims/K-1/replay", ("replay", "K-1", "--claim")),
    ):
        assert served.get(path).json() == command_line(*words, "--json").json, path
