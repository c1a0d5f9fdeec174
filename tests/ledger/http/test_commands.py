"""Commands over HTTP: one effect for each Idempotency-Key, told in the words of HTTP."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from fixtures.desk import claim, contract
from fixtures.served import Served, serving
from ledger.app import App
from ledger.domain.registry import COMMANDS, read_command
from ledger.http.openapi import example

_numbers = count(1)


@pytest.fixture
def number(house: Served) -> str:
    """A contract of the test's own."""
    number = f"CC-{next(_numbers)}"
    assert house.command("StartContract", contract(number), key=f"start-{number}").status_code == 201
    return number


def test_a_command_is_recorded_once_however_often_it_is_sent(house: Served, number: str) -> None:
    first = house.command("OpenClaim", claim(f"K-{number}", number), key=f"open-{number}")
    again = house.command("OpenClaim", claim(f"K-{number}", number), key=f"open-{number}")

    assert (first.status_code, first.json()["status"]) == (201, "recorded")
    assert (again.status_code, again.json()["status"]) == (200, "repeated")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["events"] == first.json()["events"]
    assert [again.headers[name] for name in ("ETag", "Ledger-Position", "Location")] == [
        first.headers[name] for name in ("ETag", "Ledger-Position", "Location")
    ]


def test_a_key_is_the_same_quoted_as_structured_fields_are_and_bare(house: Served, number: str) -> None:
    fields = claim(f"K-{number}", number)
    assert house.command("OpenClaim", fields, key=f'"open-{number}"').status_code == 201
    assert house.command("OpenClaim", fields, key=f"open-{number}").status_code == 200


def test_one_key_sent_many_times_at_once_has_one_effect(house: Served, number: str) -> None:
    fields = claim(f"K-{number}", number)

    def send(_: int) -> int:
        return house.command("OpenClaim", fields, key=f"at-once-{number}").status_code

    with ThreadPoolExecutor(8) as crowd:
        statuses = list(crowd.map(send, range(16)))
    assert sorted(statuses) == [200] * 15 + [201]


def test_one_key_of_two_callers_is_two_commands(house: Served, number: str) -> None:
    mine = house.command("OpenClaim", claim(f"K-{number}-1", number), key="mine-or-yours", role="admin")
    yours = house.command(
        "OpenClaim", claim(f"K-{number}-2", number), key="mine-or-yours", role="back_office"
    )
    assert (mine.status_code, yours.status_code) == (201, 201)


def test_a_refusal_is_a_problem_that_names_its_rule_and_is_the_same_when_sent_again(
    house: Served, number: str
) -> None:
    fields = {"claim": f"none-of-{number}", "loss_cents": 100}
    first = house.command("AcceptClaim", fields, key=f"refused-{number}")
    again = house.command("AcceptClaim", fields, key=f"refused-{number}")

    assert (first.status_code, first.headers["Content-Type"]) == (409, "application/problem+json")
    assert first.json()["type"] == "/problems/UNKNOWN"
    assert (first.json()["code"], first.json()["rule"], first.json()["status"]) == ("UNKNOWN", "I16", 409)
    assert (again.status_code, again.json()) == (409, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    meaning = house.client.get(first.json()["type"]).json()
    assert (meaning["status"], meaning["rule"]) == (409, "I16")
    assert meaning["documentation"] == "docs/rules.md#i16"


def test_a_key_that_stands_for_another_command_is_said_to_be_reused(house: Served, number: str) -> None:
    house.command("OpenClaim", claim(f"K-{number}", number), key=f"used-{number}")
    reused = house.command("OpenClaim", claim(f"L-{number}", number), key=f"used-{number}")
    assert (reused.status_code, reused.json()["code"], reused.json()["rule"]) == (422, "ID_REUSED", "I10")


def test_a_command_on_a_version_that_has_passed_is_stale_and_changes_nothing(
    house: Served, number: str
) -> None:
    opened = house.command("OpenClaim", claim(f"K-{number}", number))
    seen = opened.headers["ETag"]
    fields = {"claim": f"K-{number}", "topics": ["block_card"]}
    fresh = house.command("GiveAdvice", fields, key=f"advice-{number}", headers={"If-Match": seen})
    stale = house.command("WithdrawClaim", {"claim": f"K-{number}"}, headers={"If-Match": seen})

    assert (seen, fresh.status_code, fresh.headers["ETag"]) == ('"1"', 201, '"2"')
    assert (stale.status_code, stale.json()["code"], stale.headers["ETag"]) == (412, "STALE", '"2"')
    # It was not remembered: sent again after another look, it is decided.
    now = house.command("WithdrawClaim", {"claim": f"K-{number}"}, headers={"If-Match": '"2"'})
    assert now.status_code == 201
    # What was recorded is told again, whatever the stream is at by now.
    repeated = house.command("GiveAdvice", fields, key=f"advice-{number}", headers={"If-Match": seen})
    assert repeated.status_code == 200


@pytest.mark.parametrize(
    ("if_match", "status"),
    [('"1"', 201), ("1", 201), ("*", 201), ('"7", "1"', 201), ('W/"1"', 412), ('"abc"', 412), ("x y", 400)],
)
def test_if_match_is_read_as_http_has_it(house: Served, number: str, if_match: str, status: int) -> None:
    house.command("OpenClaim", claim(f"K-{number}", number))
    sent = house.command("WithdrawClaim", {"claim": f"K-{number}"}, headers={"If-Match": if_match})
    assert sent.status_code == status


def test_of_two_who_saw_the_same_version_one_is_late(house: Served, number: str) -> None:
    house.command("OpenClaim", claim(f"K-{number}", number))

    def advise(topic: str) -> int:
        fields = {"claim": f"K-{number}", "topics": [topic]}
        key = f"{topic}-{number}"
        return house.command("GiveAdvice", fields, key=key, headers={"If-Match": '"1"'}).status_code

    with ThreadPoolExecutor(4) as crowd:
        assert sorted(crowd.map(advise, ["a", "b", "c", "d"])) == [201, 412, 412, 412]


def test_a_dry_run_says_what_would_be_and_records_nothing(house: Served, number: str) -> None:
    fields = claim(f"K-{number}", number)
    tried = house.command("OpenClaim", fields, key=f"try-{number}", params={"dry_run": "true"})
    assert (tried.status_code, tried.json()["dry_run"], tried.json()["status"]) == (200, True, "recorded")
    assert "Ledger-Position" not in tried.headers
    refused = house.command(
        "WithdrawClaim", {"claim": f"K-{number}"}, key=f"w-{number}", params={"dry_run": "true"}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "UNKNOWN")
    assert house.command("OpenClaim", fields, key=f"try-{number}").status_code == 201


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        (b"{", {}, 422, "no JSON"),
        (b"[]", {}, 422, "JSON object"),
        (b'{"claim": "K", "claim": "L"}', {}, 422, "twice"),
        (b'{"claim": "K", "loss_cents": 1.5}', {}, 422, "whole"),
        (b'{"claim": "K", "loss_cents": "many"}', {}, 422, "loss_cents"),
        (b'{"claim": "K", "loss": 5}', {}, 422, "no field"),
        (b'{"claim": "\\ud800", "loss_cents": 5}', {}, 422, "half a character"),
        (b"\xff\xfe", {}, 422, "UTF-8"),
        (b"claim=K", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "application/json"),
        (b"x" * 65_537, {}, 413, "larger than"),
        (b"{}", {"Idempotency-Key": ""}, 400, "1 to 128"),
        (b"{}", {"Idempotency-Key": "x" * 129}, 400, "1 to 128"),
        (b"{}", {"Idempotency-Key": "time:claim/K"}, 400, "reserved"),
    ],
)
def test_what_is_malformed_is_a_problem_that_says_what_to_do(
    house: Served, body: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    asked = house.bearing("admin") | {"Idempotency-Key": "malformed", "Content-Type": "application/json"}
    answer = house.client.post(f"{house.base}/commands/AcceptClaim", content=body, headers=asked | headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert said in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]


def test_a_body_that_comes_in_pieces_is_measured_too(house: Served) -> None:
    asked = house.bearing("admin") | {"Idempotency-Key": "pieces", "Content-Type": "application/json"}
    pieces = (b" " * 10_000 for _ in range(100))
    answer = house.client.post(f"{house.base}/commands/AcceptClaim", content=pieces, headers=asked)
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")


def test_without_a_key_nothing_is_sent(house: Served) -> None:
    url = f"{house.base}/commands/WithdrawClaim"
    answer = house.client.post(url, json={"claim": "K"}, headers=house.bearing("admin"))
    assert (answer.status_code, answer.json()["code"]) == (400, "IDEMPOTENCY_KEY")


def test_a_command_or_book_that_does_not_exist_is_not_found_and_the_likeliest_is_named(house: Served) -> None:
    misspelt = house.command("WithdrawClaims", {"claim": "K"})
    assert (misspelt.status_code, "WithdrawClaim?" in misspelt.json()["detail"]) == (404, True)
    elsewhere = house.client.get("/v1/another/limits", headers=house.bearing("admin"))
    assert (elsewhere.status_code, "cyber-care" in elsewhere.json()["detail"]) == (404, True)


def test_the_past_is_for_importers_alone(house: Served, number: str) -> None:
    past, fields = {"at": "2026-02-01T09:00:00+01:00"}, contract(f"{number}-past")
    refused = house.command("StartContract", fields, key=f"p1-{number}", role="back_office", params=past)
    assert (refused.status_code, "right to import" in refused.json()["detail"]) == (422, True)
    taken = house.command("StartContract", fields, key=f"p2-{number}", role="importer", params=past)
    assert taken.status_code == 201
    unread = house.command("StartContract", fields, role="importer", params={"at": "2026-02-01T09:00:00"})
    assert (unread.status_code, "offset" in unread.json()["detail"]) == (422, True)


def test_the_future_of_a_real_book_is_for_nobody(wiring: App) -> None:
    with serving(wiring) as real:
        future = {"at": "2199-03-01T09:00:00+01:00"}
        ahead = real.command("StartContract", contract("CC-1"), role="admin", params=future)
    assert (ahead.status_code, "future" in ahead.json()["detail"]) == (422, True)


def test_events_are_recorded_under_the_callers_name(house: Served, number: str) -> None:
    house.command("OpenClaim", claim(f"K-{number}", number), role="back_office", key=f"by-{number}")
    house.wiring.catch_up("claims", "complaints")
    [event] = house.get(f"/claims/K-{number}/history").json()
    assert (event["actor"], event["command_id"]) == ("back_office", f"by-{number}")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_documents_example_of_a_command_can_be_read(name: str) -> None:
    assert read_command(name, example(name))
