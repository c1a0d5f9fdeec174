"""Names are shut until somebody says why, and gone once the person is erased."""

from fixtures.served import Served
from fixtures.visited import Printed, Visited
from ledger.privacy.access import Access, access_lines
from ledger.privacy.erasure import Erasures


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
    Erasures(book.wiring.ledger).erase("P-gone", Access("admin-1", "test", "asked for"))
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
