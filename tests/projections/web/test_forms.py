"""Forms: what they offer, what they record, and how they say no."""

import pytest

from fixtures.served import Served
from fixtures.visited import Visited, form_in


def test_a_new_claim_is_offered_the_next_number_and_the_policyholder(desk: Visited) -> None:
    fields = desk.form("/claims/new?contract=CC-1", "OpenClaim")
    assert (fields["claim"], fields["victim.person"]) == ("CL-1-1", "P-CC-1")
    assert desk.form("/claims/new", "OpenClaim")["claim"] == ""


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
