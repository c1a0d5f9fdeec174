"""Each page's JSON is what the command line prints, its files hold the same rows."""

import csv
import gc
import io
import sys

import openpyxl
import pytest
from fastapi.routing import APIRoute

from fixtures.served import Served
from fixtures.visited import Printed, Visited
from projections.web import routes as site
from projections.web.pages import reports
from projections.web.pages.reports import TITLES
from projections.web.renderer import in_address


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/today.json", ("today",)),
        ("/contracts.json", ("contract", "list")),
        ("/contracts.json?status=active", ("contract", "list", "--status", "active")),
        ("/contracts.json?before=2025-01-01", ("contract", "list", "--before", "2025-01-01")),
        ("/contracts.json?on=2025-10-02", ("contract", "list", "--on", "2025-10-02")),
        ("/contracts/CC-1.json", ("contract", "show", "CC-1")),
        ("/contracts/CC-1.json?as_of=3", ("contract", "show", "CC-1", "--as-of", "3")),
        (f"/contracts/{in_address('A/1.json')}.json", ("contract", "show", "A/1.json")),
        ("/contracts/CC-1/replay.json", ("replay", "CC-1")),
        ("/claims.json", ("claim", "list")),
        ("/claims.json?contract=CC-1", ("claim", "list", "--contract", "CC-1")),
        (
            "/claims.json?guarantee=payment&status=open",
            ("claim", "list", "--guarantee", "payment", "--status", "open"),
        ),
        ("/claims/K-1.json", ("claim", "show", "K-1")),
        (f"/claims/{in_address('K/é 3')}.json", ("claim", "show", "K/é 3")),
        ("/claims/K-1/replay.json", ("replay", "K-1", "--claim")),
        ("/complaints.json", ("complaint", "list")),
        ("/complaints/X-1.json", ("complaint", "show", "X-1")),
        ("/complaints/X-1/replay.json", ("replay", "X-1", "--complaint")),
        ("/due.json", ("due",)),
        ("/due.json?status=open&before=2026-12-31", ("due", "--status", "open", "--before", "2026-12-31")),
        ("/due.json?contract=CC-1", ("due", "--contract", "CC-1")),
        ("/letters.json", ("letters", "list")),
        ("/letters.json?status=dropped", ("letters", "list", "--status", "dropped")),
        ("/letters.json?contract=CC-1", ("letters", "list", "--contract", "CC-1")),
        ("/retention.json", ("deadlines", "retention")),
        ("/retention.json?until=2040-01-01", ("deadlines", "retention", "--until", "2040-01-01")),
        ("/reports.json", ("report", "overview")),
        ("/reports/refunds.json", ("report", "refunds")),
        ("/reports/payments.json", ("report", "payments")),
        ("/reports/recoveries.json", ("report", "recoveries")),
        ("/reports/timeline.json", ("report", "timeline")),
        ("/reports/guarantees.json", ("report", "guarantees")),
        ("/reports/bordereau.json?month=2026-03", ("report", "bordereau", "2026-03")),
        ("/feed.json", ("events", "--since", "-1")),
        (
            "/feed.json?since=5&type=claim.ClaimOpened",
            ("events", "--since", "5", "--type", "claim.ClaimOpened"),
        ),
        ("/feed/subscriptions.json", ("subscriptions", "list")),
        ("/verify.json", ("checkpoint",)),
        ("/cancellations.json", ("cancellations", "list")),
    ],
)
def test_the_json_of_a_page_is_what_the_command_line_prints(
    admin: Visited, printed: Printed, path: str, words: tuple[str, ...]
) -> None:
    said = printed(*words)
    answer = admin.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.json() == said


@pytest.mark.parametrize(
    "name",
    [name if name == "bordereau" else pytest.param(name, marks=pytest.mark.slow) for name in TITLES],
)
def test_a_page_that_shows_only_the_first_rows_leaves_nothing_open(
    admin: Visited, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", left.append)
    monkeypatch.setattr(reports, "ROWS_SHOWN", 0)
    assert admin.get(f"/reports/{name}").status_code == 200
    gc.collect()
    assert admin.get(f"/reports/{name}.json").json()
    assert left == []


@pytest.mark.parametrize("name", TITLES)
def test_a_reports_files_hold_each_row_of_its_json(admin: Visited, name: str) -> None:
    rows = admin.get(f"/reports/{name}.json").json()
    html = admin.get(f"/reports/{name}").text
    for end in ("csv", "xlsx"):
        assert f'href="/reports/{name}.{end}"' in html
        file = admin.get(f"/reports/{name}.{end}")
        assert file.headers["content-disposition"] == f'attachment; filename="{name}.{end}"'
        if end == "csv":
            table = list(csv.reader(io.StringIO(file.text)))
        else:
            [sheet] = openpyxl.load_workbook(io.BytesIO(file.content)).worksheets
            table = [list(row) for row in sheet.iter_rows(values_only=True)]
        assert len(table) == 1 + len(rows)
        assert set(table[0]) >= {"guarantee"}


FORMS = ("/contracts/new", "/claims/new", "/complaints/new", "/cancel", "/cancel/received", "/cancel/confirm")


FILES = (
    *("/contracts/{number}/proof", "/reports/{name}.csv", "/reports/{name}.xlsx", "/verify/head"),
    "/static/{content}/{name:path}",
)


WAYS = ("/find",)
"""Pages without JSON, by the reasons of docs/decisions/every-page-has-its-json.md; each shows no rows."""


def test_every_page_of_the_site_has_its_json_or_shows_nothing_that_could_be_in_it(book: Served) -> None:
    routes = {
        (method, route.path)
        for route in site.routes(book.wiring).routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    pages = {path for method, path in routes if method == "GET" and not path.endswith(".json")}
    assert len(pages) > 30
    lacking = {
        path
        for path in pages
        if not {(method, f"{'/today' if path == '/' else path}.json") for method in ("GET", "POST")} & routes
    }
    assert lacking == {*FORMS, *FILES, *WAYS}


def test_the_calendars_json_is_the_due_rows_of_its_month(admin: Visited, printed: Printed) -> None:
    rows = [row for row in printed("due") if row["due_on"].startswith("2026-10")]
    assert rows
    assert admin.get("/due/calendar.json?month=2026-10").json() == rows


def test_a_program_reads_the_json_by_its_bearer_token(book: Served) -> None:
    answer = book.client.get("/contracts/CC-1.json", headers=book.bearing("auditor"))
    assert answer.json()["contract"] == "CC-1"
    assert book.client.get("/contracts/CC-1.json").status_code == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/contracts/none", 404),
        ("/claims/none/replay", 404),
        ("/contracts/none/proof", 404),
        ("/reports/none", 404),
        ("/contracts?as_of=yesterday", 400),
        ("/contracts?before=1.1.2026", 400),
        ("/contracts/CC-1?on=31-12-2025", 400),
        ("/contracts/CC-1?as_of=999999", 400),
        ("/feed?type=claim.Nothing", 400),
        ("/due/calendar?month=x", 400),
        ("/reports/bordereau?month=2026", 400),
    ],
)
def test_what_is_not_there_or_asked_wrongly_is_said_on_a_page_and_as_a_problem(
    admin: Visited, path: str, status: int
) -> None:
    page = admin.get(path)
    assert (page.status_code, "text/html" in page.headers["content-type"]) == (status, True)
    if "proof" not in path:
        head, mark, query = path.partition("?")
        problem = admin.get(f"{head}.json{mark}{query}")
        assert problem.status_code in {404, 422}
        assert problem.headers["content-type"] == "application/problem+json"
