"""Pages as they are served: who may see them, what they may load, where they lead."""

import re
from dataclasses import replace
from datetime import date
from html import unescape

import pytest
from pages_of_the_site import READ, RIGHT_OF, ROLES

from fixtures.desk import contract
from fixtures.served import Served
from fixtures.visited import Printed, Visited, visiting
from ledger.cli.doctor_checks import examine
from ledger.clock import machine_now
from ledger.domain.identifiers import contract_ref
from ledger.store.subscriptions import enter_state
from ledger.supervision import ServiceState
from projections.web.renderer import in_address
from schedulers.letters.queries import LetterRequest, change, request_letters
from schedulers.letters.writer import NO_ADDRESS


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


def test_letters_stand_on_their_contract_and_on_their_list_with_how_they_go_and_why_they_wait(
    book: Served, desk: Visited, printed: Printed
) -> None:
    letter = LetterRequest(
        "L-TEST", "termination_notice", contract_ref("CC-2"), "CC-2", "P-CC-2", {}, date(2026, 3, 9)
    )
    with book.wiring.pool.connection() as connection:
        request_letters(connection, book.wiring.book, [letter])
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


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("1 service of the ledger is not well", "stuck", "since ")),
        ("nl", ("1 dienst van het grootboek loopt niet goed", "vastgelopen", "sinds ")),
        ("fr", ("1 service du grand livre ne va pas bien", "bloqué", "depuis ")),
    ],
)
def test_fault_8_a_service_that_is_not_well_stands_on_today_for_who_may_act(
    book: Served, language: str, said: tuple[str, ...]
) -> None:
    stuck = ServiceState(
        "post",
        matters=False,
        state="stuck",
        since=machine_now(),
        error="GapFound: position 7 is missing",
        restarts=3,
        moved=99.0,
    )
    book.wiring.states.tell([stuck, replace(stuck, name="views", state="running")])
    try:
        for role, is_told in (("back_office", True), ("admin", True), ("auditor", False)):
            with visiting(book, role) as visitor:
                page = visitor.get(f"/?language={language}").text
            shown = [words in page for words in (said[0], "<b>post</b>", "position 7 is missing")]
            assert shown == [is_told] * len(shown)
            assert not is_told or all(words in page for words in said)
            assert "<b>views</b>" not in page
    finally:
        book.wiring.states.tell([])


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("1 subscriber is not told of all events", "disabled")),
        ("nl", ("1 abonnee krijgt niet alle gebeurtenissen", "uitgeschakeld")),
        ("fr", ("1 abonné ne reçoit pas tous les événements", "désactivé")),
    ],
)
def test_fault_29_a_subscriber_that_is_switched_off_stands_on_today_and_in_the_metrics(
    book: Served, language: str, said: tuple[str, ...]
) -> None:
    book.wiring.subscriptions.add_webhook("switched-off", "https://erp.example/hook")
    try:
        with book.wiring.pool.connection() as connection:
            enter_state(connection, book.wiring.book, "switched-off", "disabled", "it answered 410 Gone")
        for role, is_told in (("back_office", True), ("auditor", False)):
            with visiting(book, role) as visitor:
                page = visitor.get(f"/?language={language}").text
            shown = [words in page for words in (*said[:1], "<b>switched-off</b>", "it answered 410 Gone")]
            assert shown == [is_told] * len(shown)
            assert not is_told or said[1] in page
        metrics = book.get("/metrics", "monitor").text
        problems = 'claims_ledger_subscription_troubled{problem="%s",subscription="switched-off"} %.1f'
        for problem, number in (("disabled", 1), ("parked", 0), ("behind", 0)):
            assert problems % (problem, number) in metrics, metrics
        told = [one.state for one in examine(book.wiring) if "switched-off is disabled" in one.message]
        assert told == ["wrong"]
    finally:
        book.wiring.subscriptions.remove("switched-off")
