"""Pages as they are served: who may see them, what they say as JSON, what their forms do."""

import csv
import io
import re
from datetime import date
from html import unescape

import httpx2 as httpx
import openpyxl
import pytest
from fastapi.routing import APIRoute

from fixtures.desk import contract
from fixtures.served import Served
from fixtures.visited import Printed, Visited, form_in, visiting
from ledger.domain.identifiers import contract_ref
from ledger.subjects.access_log import Access, access_lines
from ledger.subjects.erasing import Erasures
from projections.web import site
from projections.web.addresses import in_address
from projections.web.pages.report import TITLES
from projections.web.words.speaking import LANGUAGES, words
from schedulers.letters.queries import Wanted, change, want
from schedulers.letters.writing import NO_ADDRESS

READ = (
    "/",
    "/contracts",
    "/contracts/CC-1",
    "/contracts/CC-1/replay",
    "/contracts/CC-1/proof",
    "/claims",
    "/claims/K-1",
    "/claims/K-1/replay",
    "/complaints",
    "/complaints/X-1",
    "/complaints/X-1/replay",
    "/due",
    "/due/calendar",
    "/letters",
    "/retention",
    "/reports",
    "/reports/refunds",
    "/reports/refunds.csv",
    "/reports/refunds.xlsx",
    "/verify",
    "/verify/head",
    "/verify/progress",
    "/cancellations",
)
RIGHT_OF = (
    dict.fromkeys(READ, "read")
    | dict.fromkeys(("/contracts/new", "/claims/new", "/complaints/new"), "command")
    | {"/feed": "feed", "/feed/subscriptions": "administer"}
)
ROLES = {
    "auditor": {"read", "feed", "names"},
    "back_office": {"read", "feed", "names", "command"},
    "importer": {"read", "command"},
    "subscriber": {"feed"},
    "monitor": set(),
    "admin": {"read", "feed", "names", "command", "administer"},
}


def test_a_stranger_is_told_to_sign_in_on_every_page_but_the_public_ones(book: Served) -> None:
    with visiting(book, None) as stranger:
        told = {path: stranger.get(path).status_code for path in RIGHT_OF}
        public = {path: stranger.get(path).status_code for path in ("/cancel", "/cancel/received")}
    assert told == dict.fromkeys(RIGHT_OF, 401)
    assert set(public.values()) == {200}


def test_a_link_that_was_used_is_told_on_a_page_with_what_to_do(book: Served) -> None:
    with visiting(book, None) as stranger:
        refused = stranger.get("/sign-in", params={"code": "cll_used"}, headers={"Accept": "text/html"})
        page = stranger.get(refused.headers["location"])
    assert page.status_code == 401
    assert "This link was used already" in page.text


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_the_pages_of_its_rights_and_no_other(book: Served, role: str) -> None:
    with visiting(book, role) as visited:
        told = {path: visited.get(path).status_code for path in RIGHT_OF}
    assert told == {path: 200 if right in ROLES[role] else 403 for path, right in RIGHT_OF.items()}


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/commands/GiveNotice", "command"),
        ("/contracts/CC-1/names", "names"),
        ("/claims/K-1/names", "names"),
        ("/complaints/X-1/replay/names", "names"),
        ("/persons", "names"),
        ("/cancellations/none/confirm", "command"),
        ("/cancellations/none/dismiss", "command"),
        ("/feed/subscriptions/none/pause", "administer"),
        ("/feed/subscriptions/none/resend", "administer"),
        ("/verify", "read"),
    ],
)
def test_a_form_is_taken_from_whoever_has_the_right_and_came_by_our_page(
    book: Served, path: str, right: str
) -> None:
    for role, rights in ROLES.items():
        with visiting(book, role) as visited:
            bare = visited.post(path, {"csrf": "made up"})
            assert bare.status_code == 403, (role, path)
            found = re.search(r'name="csrf" value="([^"]+)"', visited.get("/").text)
            csrf = found[1] if found else ""
            elsewhere = visited.post(path, {"csrf": csrf}, **{"Sec-Fetch-Site": "cross-site"})
            assert elsewhere.status_code == 403, (role, path)
            if right not in rights:
                assert visited.post(path, {"csrf": csrf}).status_code == 403, (role, path)


def test_every_page_says_what_it_may_load_and_may_not_be_framed_or_kept(desk: Visited) -> None:
    for path in ("/", "/contracts/CC-1", "/cancel"):
        headers = desk.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["cache-control"] == "no-store"
        assert not re.search(r"\sstyle=|\son\w+=|<style|javascript:", desk.get(path).text)


def test_no_page_names_another_site(desk: Visited) -> None:
    for path in READ:
        links = re.findall(r'(?:src|href|action)="([^"]+)"', desk.get(path).text)
        assert [link for link in links if re.match(r"[a-z]+:|//", link)] == [], path


def test_what_is_typed_or_recorded_is_never_markup(book: Served, desk: Visited) -> None:
    evil = "<script>alert(1)</script>"
    for path in (f"/contracts?search={evil}", f"/contracts?as_of={evil}", f"/contracts/{in_address(evil)}"):
        assert "<script>alert" not in desk.get(path).text
    book.command("GiveAdvice", {"claim": "K-2", "topics": [evil]})
    book.wiring.catch_up()
    assert "&lt;script&gt;alert" in desk.get("/claims/K-2").text
    assert "<script>alert" not in desk.get("/claims/K-2").text


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


def test_persons_are_found_by_a_program_as_the_command_line_finds_them(
    book: Served, printed: Printed
) -> None:
    book.wiring.catch_up()
    asked = {"name": "peeters ada", "reason": "caller gave no number"}
    said = printed("person", "find", "peeters", "ada", "--reason", "caller gave no number")
    bearing = book.bearing("auditor")
    assert len(said) > 1
    assert book.client.post("/persons.json", json=asked, headers=bearing).json() == said
    assert book.client.post("/persons.json", data=asked, headers=bearing).json() == said
    for wrong in ({"name": "peeters"}, {"reason": "no name"}, {"name": "!!", "reason": "no letters"}):
        refused = book.client.post("/persons.json", json=wrong, headers=bearing)
        assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    for body in ("[]", "{", '{"name": 7}'):
        headers = bearing | {"Content-Type": "application/json"}
        assert book.client.post("/persons.json", content=body, headers=headers).status_code == 422
    assert book.client.post("/persons.json", json=asked, headers=book.bearing("importer")).status_code == 403
    assert book.client.post("/persons.json", json=asked).status_code == 401
    assert book.client.get("/persons.json", headers=bearing).status_code == 405


def test_a_session_sends_the_search_for_persons_by_a_form_of_ours_alone(desk: Visited) -> None:
    asked = {"name": "peeters ada", "reason": "caller gave no number"}
    assert desk.post("/persons.json", asked).status_code == 403
    csrf = desk.form("/claims/K-2", "GiveAdvice")["csrf"]
    assert desk.post("/persons.json", asked | {"csrf": csrf}).status_code == 200


def test_a_number_leads_to_its_page_and_any_other_to_what_begins_with_it(desk: Visited) -> None:
    told = {
        number: desk.get("/find", params={"number": number}).headers["location"]
        for number in ("CC-1", " K-1 ", "X-1", "A/1.json", "CC", "CL-9", "")
    }
    assert told == {
        "CC-1": "/contracts/CC-1",
        " K-1 ": "/claims/K-1",
        "X-1": "/complaints/X-1",
        "A/1.json": f"/contracts/{in_address('A/1.json')}",
        "CC": "/contracts?search=CC",
        "CL-9": "/claims?search=CL-9",
        "": "/contracts",
    }


def test_a_new_claim_is_offered_the_next_number_and_the_policyholder(desk: Visited) -> None:
    fields = desk.form("/claims/new?contract=CC-1", "OpenClaim")
    assert (fields["claim"], fields["victim.person"]) == ("CL-1-1", "P-CC-1")
    assert desk.form("/claims/new", "OpenClaim")["claim"] == ""


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_no_page_says_a_message_in_english_to_readers_of_another_language(
    admin: Visited, language: str
) -> None:
    said = words(language).messages  # type: ignore[arg-type]  # one of the three
    english = {message for message, told in said.items() if isinstance(message, str) and message != told}
    english -= {told for told in said.values() if isinstance(told, str)} | set(LANGUAGES.values())
    pages = [path for path in RIGHT_OF if not path.endswith(("/proof", "/head", ".csv", ".xlsx"))]
    for path in (*pages, "/persons", "/cancel", "/claims/K-2", "/contracts/CC-1?on=2026-01-01"):
        html = admin.get(path, params={"language": language} | dict(httpx.URL(path).params)).text
        # What an event changed stands as it is on record, field by field.
        html = re.sub(r'<table class="diff">.*?</table>', "", html, flags=re.DOTALL)
        texts = {unescape(text).strip() for text in re.split(r"<[^>]*>", html)}
        assert texts & english == set(), path
        spoken = {unescape(text) for text in re.findall(r'(?:aria-label|title|placeholder)="([^"]+)"', html)}
        assert spoken & english == set(), path
    admin.get("/", params={"language": "en"})


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_whatever_goes_wrong_is_told_in_the_readers_language(desk: Visited, language: str) -> None:
    english = set(words("en").messages) | {
        message for message in words(language).messages if isinstance(message, str) and len(message) > 25
    }
    wrong = (
        *("/contracts/NONE", "/claims/NONE/replay", "/contracts/CC-1?as_of=99999", "/due?before=tomorrow"),
        *("/due/calendar?month=13", "/reports/none", "/feed?type=none", "/feed?below=x", "/contracts/~FF"),
        *("/claims/K-1?on=2020-01-01", "/contracts/NONE/proof"),
    )
    for path in wrong:
        answer = desk.get(path, params={"language": language} | dict(httpx.URL(path).params))
        assert answer.status_code in {400, 404}, path
        said = re.search(r"<h1>[^<]+</h1><p>([^<]+)</p>", answer.text)
        assert said, path
        assert unescape(said[1]) not in english, path
        assert 'lang="en"' not in answer.text.partition("<main")[2].partition("</main>")[0], path
    late = desk.send(
        f"/contracts/CC-2?language={language}", "GiveNotice", received_on="2026-03-02", channel="counter"
    )
    assert late.status_code == 422
    assert "Brussels date" not in late.text
    twice = {
        "claim": "K-1",
        "contract": "CC-1",
        "guarantee": "payment",
        "cause": "fraud",
        "victim.name": "Ada",
    }
    refused = desk.send("/claims/new?contract=CC-1", "OpenClaim", **twice)
    assert "EXISTS (I16): " in refused.text
    assert "already" not in refused.text.partition("EXISTS")[2].partition("</li>")[0]
    desk.get("/", params={"language": "en"})


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


def test_a_command_sent_twice_by_one_form_is_recorded_once(book: Served, desk: Visited) -> None:
    fields = desk.form("/claims/K-2", "GiveAdvice") | {"topics": "one, two"}
    first, second = (desk.post("/commands/GiveAdvice", fields) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    book.wiring.catch_up()
    told = book.get("/v1/cyber-care/claims/K-2/replay").json()
    assert [event["payload"]["topics"] for event in told if event["type"] == "claim.AdviceGiven"].count(
        ["one", "two"]
    ) == 1
    assert "Advice given" in desk.get(first.headers["location"]).text


def test_a_refusal_is_shown_by_its_rule_with_the_next_step_and_keeps_what_was_typed(desk: Visited) -> None:
    answer = desk.send("/claims/K-1", "CloseClaim", reason="kept words")
    assert answer.status_code == 303
    answer = desk.send("/contracts/CC-1", "SendTerminationNotice", posted_on="2026-03-01", tracking="RR1")
    assert answer.status_code == 303
    refused = desk.post(
        "/commands/WithdrawClaim",
        {"csrf": desk.form("/claims/K-2", "GiveAdvice")["csrf"], "claim": "K-1", "command_id": "w-1"},
    )
    assert refused.status_code == 409
    assert "ALREADY_DECIDED (D9)" in refused.text
    assert "Reopen it first" in refused.text
    again = form_in(refused.text, "WithdrawClaim")
    assert again["command_id"] not in {"", "w-1"}
    assert again["claim"] == "K-1"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"loss_cents": "5.000"}, "Loss in euro is no clear amount"),
        ({"loss_cents": ""}, "Loss in euro is missing"),
        ({"loss_cents": "-1"}, "Loss in euro is no clear amount"),
        ({"loss_cents": "1", "claim": " "}, "Claim number is missing"),
    ],
)
def test_what_cannot_be_read_is_said_beside_the_form_and_records_nothing(
    desk: Visited, typed: dict[str, str], said: str
) -> None:
    csrf = desk.form("/claims/K-2", "GiveAdvice")["csrf"]
    answer = desk.post("/commands/AcceptClaim", {"csrf": csrf, "claim": "K-2", "command_id": "a-1"} | typed)
    assert answer.status_code == 422
    assert said in answer.text


def test_a_form_that_was_read_before_others_recorded_warns_and_records_nothing(
    book: Served, desk: Visited
) -> None:
    stale = desk.form("/contracts/CC-2", "GiveNotice")
    book.command("RevokeNotice", {"contract": "CC-2", "reason": "none stands"})
    book.command("CorrectPerson", {"contract": "CC-2", "person": "P-CC-2", "email": "new@example.org"})
    warned = desk.post("/commands/GiveNotice", stale | {"channel": "counter"})
    assert warned.status_code == 412
    assert "Others recorded something here" in warned.text
    assert book.get("/contracts/CC-2").json()["status"] == "active"
    sent = desk.post("/commands/GiveNotice", form_in(warned.text, "GiveNotice"))
    assert sent.status_code == 303
    assert "Notice received" in desk.get(sent.headers["location"]).text


def test_a_claim_opened_from_its_contract_offers_the_policyholder_as_the_victim(desk: Visited) -> None:
    offered = desk.form("/claims/new?contract=CC-1", "OpenClaim")
    assert (offered["contract"], offered["victim.person"]) == ("CC-1", "P-CC-1")
    assert offered["victim.relation"] == "policyholder"
    assert desk.form("/claims/new?contract=none", "OpenClaim")["victim.person"] == ""


def test_a_command_that_does_not_exist_has_no_form(desk: Visited) -> None:
    csrf = desk.form("/claims/K-2", "GiveAdvice")["csrf"]
    assert desk.post("/commands/DropTables", {"csrf": csrf}).status_code == 400


def test_names_are_shut_until_a_reason_is_given_which_the_access_log_keeps(
    book: Served, desk: Visited
) -> None:
    shut = desk.get("/contracts/CC-1").text
    assert "[sealed]" in shut
    assert "Ada Peeters" not in shut
    csrf = desk.form("/claims/K-2", "GiveAdvice")["csrf"]
    opened = desk.post("/contracts/CC-1/names", {"csrf": csrf, "reason": "call 4711"})
    assert opened.status_code == 200
    assert "Ada Peeters" in opened.text
    with book.wiring.pool.connection() as connection:
        lines = [line for line in access_lines(connection, book.wiring.book) if line.why == "call 4711"]
    assert {(line.who, line.what, line.person) for line in lines} == {
        ("back_office-1", "site: contract", "P-CC-1")
    }
    without = desk.post("/contracts/CC-1/names", {"csrf": csrf, "reason": "  "})
    assert without.status_code == 400
    assert "Ada Peeters" not in without.text


def test_an_erased_person_stands_as_erased_on_every_page_for_everybody(book: Served, admin: Visited) -> None:
    person = {"person": "P-gone", "name": "Seeded Name", "email": "seeded@example.org"}
    book.command(
        "StartContract",
        {"contract": "CC-gone", "product": "cyber-care", "starts_on": "2025-10-01", "policyholder": person},
    )
    victim = {"person": "P-gone", "name": "Seeded Name", "relation": "policyholder", "same_roof": True}
    opened = {"claim": "K-gone", "contract": "CC-gone", "guarantee": "payment", "cause": "fraud"}
    book.command(
        "OpenClaim",
        opened
        | {"occurred_at": "2026-01-01", "channel": "phone", "victim": victim, "narrative": "Seeded text"},
    )
    Erasures(book.wiring.store, book.wiring.pool, book.wiring.book).erase(
        "P-gone", Access("admin-1", "test", "asked for")
    )
    book.wiring.catch_up()
    csrf = admin.form("/claims/K-2", "GiveAdvice")["csrf"]
    pages = [
        admin.get(f"{path}{end}")
        for path in ("/contracts/CC-gone", "/claims/K-gone")
        for end in ("", "/replay")
    ]
    pages += [
        admin.post(f"{path}/names", {"csrf": csrf, "reason": "to see"})
        for path in ("/contracts/CC-gone", "/claims/K-gone")
    ]
    for page in pages:
        assert page.status_code == 200
        assert "Seeded" not in page.text
        assert "seeded@" not in page.text
    assert all("[erased]" in page.text for page in (pages[0], pages[2], *pages[4:]))


@pytest.mark.parametrize(
    ("language", "said"), [("nl", "Contracten"), ("fr", "Contrats"), ("en", "Contracts")]
)
def test_a_page_speaks_the_language_that_was_chosen_and_keeps_to_it(
    book: Served, language: str, said: str
) -> None:
    with visiting(book, "auditor") as visited:
        chosen = visited.get(f"/contracts?language={language}")
        kept = visited.get("/contracts", headers={"Accept-Language": "de"})
    for page in (chosen, kept):
        assert f'<html lang="{language}">' in page.text
        assert f"<h1>{said}</h1>" in page.text


def test_without_a_choice_a_page_speaks_what_the_browser_asks_for(book: Served) -> None:
    with visiting(book, "auditor") as visited:
        page = visited.get("/", headers={"Accept-Language": "de, fr-BE;q=0.8, nl;q=0.9"})
    assert '<html lang="nl">' in page.text


def test_a_shipped_file_is_kept_for_ever_under_the_address_of_its_content(desk: Visited) -> None:
    [style] = re.findall(r'href="(/static/[^"]+site\.css)"', desk.get("/").text)
    assert "immutable" in desk.get(style).headers["cache-control"]
    for path in ("/static/000000000000/site.css", "/static/x/..%2f..%2fsite.py"):
        assert desk.get(path).status_code == 404


def test_a_search_finds_by_the_beginning_of_a_number_and_says_how_many_there_are(desk: Visited) -> None:
    page = desk.get("/contracts?search=CC-")
    assert "CC-1</a>" in page.text
    assert "A/1.json</a>" not in page.text
    assert "CC-1</a>" not in desk.get("/contracts?search=%25").text
    assert desk.get("/claims?search=CC-2").text.count("K-2</a>") == 1


def test_the_operator_pauses_resumes_and_sends_again_on_a_subscriptions_page(
    book: Served, admin: Visited, printed: Printed
) -> None:
    book.wiring.subscriptions.add_webhook("erp", "https://erp.example/hook", after=3)
    place = "/feed/subscriptions/erp"
    csrf = admin.form("/claims/K-2", "GiveAdvice")["csrf"]
    assert admin.get("/feed/subscriptions.json").json() == printed("subscriptions", "list")
    assert admin.get(f"{place}.json").json() == printed("subscriptions", "show", "erp")
    assert admin.post(f"{place}/pause", {"csrf": csrf, "because": "release"}).status_code == 303
    assert "release" in admin.get(place).text
    sent = admin.post(f"{place}/resend", {"csrf": csrf, "first": "1", "last": "2"})
    assert "2 events go out again" in admin.get(sent.headers["location"]).text
    assert "Not taken yet" in admin.get(place).text
    assert admin.post(f"{place}/resend", {"csrf": csrf, "first": "1", "last": "9999"}).status_code == 400
    assert admin.post(f"{place}/replay-parked", {"csrf": csrf}).status_code == 303
    assert admin.post(f"{place}/resume", {"csrf": csrf}).status_code == 303
    assert admin.get(f"{place}.json").json()["state"] == "active"
    assert admin.get("/feed/subscriptions/none").status_code == 404


def test_a_narrative_is_read_in_the_replay_for_a_reason_and_its_reading_is_logged(
    book: Served, desk: Visited
) -> None:
    shut = desk.get("/claims/K-1/replay").text
    assert "Seeded narrative" not in shut
    [first, *_] = desk.get("/claims/K-1/replay.json").json()
    csrf = desk.form("/claims/K-2", "GiveAdvice")["csrf"]
    typed = {"csrf": csrf, "step": str(first["position"]), "reason": "the victim asks"}
    assert "Seeded narrative" in desk.post("/claims/K-1/replay/names", typed).text
    assert desk.post("/claims/K-1/replay/names", typed | {"reason": ""}).status_code == 400
    with book.wiring.pool.connection() as connection:
        lines = access_lines(connection, book.wiring.book)
    assert [line.person for line in lines if line.what == "site: replay of a claim"] == ["P-CC-1"]


def test_a_caller_without_a_number_is_found_by_name_and_each_finding_is_logged(
    book: Served, desk: Visited
) -> None:
    book.wiring.catch_up()
    csrf = desk.form("/claims/K-2", "GiveAdvice")["csrf"]
    typed = {"csrf": csrf, "name": "peeters ada", "reason": "caller gave no number"}
    found = desk.post("/persons", typed)
    assert "CC-1</a>" in found.text
    assert "K-1</a>" in found.text
    assert desk.post("/persons", typed | {"reason": ""}).status_code == 400
    assert "0 persons found" in desk.post("/persons", typed | {"name": "!!"}).text
    with book.wiring.pool.connection() as connection:
        lines = access_lines(connection, book.wiring.book)
    opened = {line.person for line in lines if line.what == "site: persons"}
    assert {"P-CC-1", "P-CC-2", "P-A/1.json"} <= opened


def test_letters_stand_on_their_contract_and_on_their_list_with_how_they_go_and_why_they_wait(
    book: Served, desk: Visited, printed: Printed
) -> None:
    letter = Wanted(
        "L-TEST", "termination_notice", contract_ref("CC-2"), "CC-2", "P-CC-2", {}, date(2026, 3, 9)
    )
    with book.wiring.pool.connection() as connection:
        want(connection, book.wiring.book, [letter])
        change(connection, book.wiring.book, ["L-TEST"], told=NO_ADDRESS)
    for path in ("/contracts/CC-2", "/letters"):
        told = desk.get(path).text
        assert "termination of the contract" in told
        assert "registered mail" in told
        assert "no address on file: correct the policyholder" in told
    in_dutch = desk.get("/letters?language=nl").text
    assert "geen adres bekend: verbeter de verzekeringnemer" in in_dutch
    assert "to be written" not in in_dutch
    assert "No letter was written." in desk.get("/contracts/CC-2?on=2026-02-01&language=en").text
    assert printed("letters", "list", "--contract", "CC-2") == desk.get("/letters.json?contract=CC-2").json()


def test_records_that_may_be_erased_stand_with_what_to_type_and_with_their_hold(
    book: Served, desk: Visited, printed: Printed
) -> None:
    withdrawn = {"contract": "CC-W", "received_on": "2026-02-28"}
    book.command("StartContract", contract("CC-W", "2026-02-25", distance_sale=True))
    book.command("WithdrawFromContract", withdrawn)
    [proposed] = printed("deadlines", "retention", "--until", "2040-01-01")
    assert desk.get("/retention.json?until=2040-01-01").json() == [proposed]
    page = desk.get("/retention?until=2040-01-01").text
    assert unescape(page).count(proposed["command"]) == 1
    assert "Nobody&#39;s records may go by that day" in desk.get("/retention").text
    assert desk.get("/retention?until=soon").status_code == 400
    book.wiring.catch_up()
    assert "Records are kept until" in desk.get("/contracts/CC-W").text


NASTY = (
    "\0",
    "%",
    "_",
    "'",
    '"><script>',
    "~ZZ",
    "~FF~FE",
    "../..",
    "9" * 30,
    "-1",
    "0001-01",
    "9999-12",
    "9999-12-31",
    "0001-01-01",
    "2026-03-01T00:00:00+01:00",
    "é" * 300,
    "\N{GRINNING FACE}",
    "None",
)
ASKED = ("search", "status", "guarantee", "before", "from", "kind", "as_of", "on", "below", "after", "month")
MORE_ASKED = ("since", "type", "step", "done", "language", "state", "contract", "claim", "code", "sent")


@pytest.mark.test_all
@pytest.mark.parametrize("path", [*READ, "/feed", "/cancel/confirm", "/feed.json", "/claims/new"])
def test_nothing_typed_into_an_address_makes_a_page_fail(admin: Visited, path: str) -> None:
    times = ("as_of", "on", "before", "from", "month")
    for nasty in NASTY:
        asked = {name: nasty for name in (*ASKED, *MORE_ASKED) if name not in times}
        assert admin.get(path, params=asked).status_code in {200, 400, 404, 422}, (path, nasty)
    for name in times:
        for nasty in ("9999-12", "9999-12-31", "0001-01-01", "9" * 30, "\0"):
            assert admin.get(path, params={name: nasty}).status_code in {200, 400, 404, 422}, (path, nasty)


@pytest.mark.test_all
def test_nothing_typed_as_a_number_or_into_a_form_makes_a_page_fail(admin: Visited) -> None:
    csrf = admin.form("/claims/K-2", "GiveAdvice")["csrf"]
    for nasty in NASTY:
        step = in_address(nasty)
        for raw in (step, nasty.replace("/", "").replace("\0", "%00").replace("%", "%25", 1)):
            for section in ("contracts", "claims", "complaints"):
                for end in ("", ".json", "/replay"):
                    assert admin.get(f"/{section}/{raw}{end}").status_code in {200, 400, 404, 422}
        forms = {
            "/commands/OpenClaim": dict.fromkeys(
                ("claim", "contract", "guarantee", "occurred_at", "channel", "victim.person"), nasty
            ),
            "/commands/AcceptClaim": {"claim": nasty, "loss_cents": nasty, "seen_version": nasty},
            "/commands/GiveAdvice": {"claim": "K-2", "topics": nasty, "command_id": nasty},
            "/persons": {"name": nasty, "reason": nasty},
            "/contracts/CC-1/names": {"reason": nasty},
            "/feed/subscriptions/none/resend": {"first": nasty, "last": nasty},
            "/cancel/confirm": {"code": nasty},
            f"/cancellations/{step}/confirm": {},
        }
        for path, fields in forms.items():
            status = admin.post(path, {"csrf": csrf} | fields).status_code
            assert status in {200, 303, 400, 404, 409, 412, 422, 429}, (path, nasty, status)
