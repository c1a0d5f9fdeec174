"""The reading commands, as typed: shapes for programs, tables for people, one line for what is wrong."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from typed import Typed

from fixtures.database import Database, execute
from projections.views.registry import VIEWS

ACTS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "StartContract",
        "2024-01-01T09:00:00+01:00",
        {
            "contract": "CC-1",
            "product": "cyber-care",
            "starts_on": "2024-01-01",
            "language": "fr",
            "policyholder": {"person": "P-1", "name": "Ada Peeters", "email": "ada@example.org"},
        },
    ),
    (
        "OpenClaim",
        "2024-03-04T09:00:00+01:00",
        {
            "claim": "K-1",
            "contract": "CC-1",
            "guarantee": "payment",
            "cause": "fraud",
            "occurred_at": "2024-03-01",
            "channel": "phone",
            "victim": {"person": "P-1", "name": "Ada Peeters", "relation": "policyholder", "same_roof": True},
            "narrative": "A web shop that never was",
        },
    ),
    ("IdentifyClaimant", "2024-03-04T09:10:00+01:00", {"claim": "K-1", "method": "callback"}),
    ("CompleteSubmission", "2024-03-05T09:00:00+01:00", {"claim": "K-1", "completed_at": "2024-03-05"}),
    ("AcceptClaim", "2024-03-06T09:00:00+01:00", {"claim": "K-1", "loss_cents": 600_000}),
    ("IssueRefund", "2024-03-07T09:00:00+01:00", {"claim": "K-1", "payment_reference": "PAY-1"}),
    (
        "LodgeComplaint",
        "2024-03-08T09:00:00+01:00",
        {
            "complaint": "X-1",
            "contract": "CC-1",
            "claim": "K-1",
            "received_on": "2024-03-08",
            "subject": "Too slow",
        },
    ),
    ("CorrectIncident", "2024-04-02T09:00:00+02:00", {"claim": "K-1", "occurred_at": "2024-02-28"}),
]
NAMES = ("Ada", "ada@", "web shop", "Too slow")


@pytest.fixture
def book(typed: Typed, tmp_path: Path) -> Typed:
    lines = [
        {"command_id": f"c-{number}", "command": name, "at": at, "actor": "desk-7", "data": fields}
        for number, (name, at, fields) in enumerate(ACTS)
    ]
    path = tmp_path / "book.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    ended = typed.run("import", str(path), "--until", "2024-05-01")
    assert ended.code == 0, ended.stderr
    return typed


def read(book: Typed, *words: str) -> Any:  # noqa: ANN401  # whatever JSON says
    ended = book.run(*words, "--json")
    assert ended.code == 0, ended.stderr
    assert not any(name in ended.stdout for name in NAMES)
    return json.loads(ended.stdout)


def test_what_is_shown_of_one_contract_claim_and_complaint(book: Typed) -> None:
    contract = read(book, "contract", "show", "CC-1")
    assert {name: contract[name] for name in ("status", "terms", "starts_on", "ends_on", "term")} == {
        "status": "active",
        "terms": "1",
        "starts_on": "2024-01-01",
        "ends_on": "2025-01-01",
        "term": 1,
    }
    assert contract["policyholder"] == "P-1"
    assert {(document["kind"], document["language"]) for document in contract["documents"]} == {
        ("ipid", "fr"),
        ("general_terms", "fr"),
    }
    assert [row["guarantee"] for row in contract["limits"]] == ["identity", "payment", "data", "reputation"]
    assert [row["claim"] for row in contract["claims"]] == ["K-1"]
    assert [row["complaint"] for row in contract["complaints"]] == ["X-1"]
    assert [row["due_on"] for row in contract["due"]] == sorted(row["due_on"] for row in contract["due"])
    assert sorted(row["subject"] for row in contract["due"]) == [
        "claim:K-1",
        "complaint:X-1",
        "complaint:X-1",
        "contract:CC-1",
        "contract:CC-1",
    ]
    claim = read(book, "claim", "show", "K-1")
    assert (claim["status"], claim["approved_cents"], claim["excess_cents"]) == ("accepted", 500_000, 100_000)
    assert claim["incident_on"] == "2024-02-28"
    assert [contact["purpose"] for contact in claim["contacts"]] == ["assistance"]
    complaint = read(book, "complaint", "show", "X-1")
    assert [contact["purpose"] for contact in complaint["contacts"]] == ["quality", "ombudsman"]


def test_lists_are_narrowed_by_their_filters(book: Typed) -> None:
    [payment] = read(book, "limits", "--claim", "K-1")
    assert (payment["guarantee"], payment["amount_remaining_cents"], payment["count_remaining"]) == (
        "payment",
        0,
        2,
    )
    assert read(book, "limits", "--guarantee", "payment", "--contract", "CC-1", "--status", "active") == [
        payment
    ]
    assert read(book, "limits", "--status", "expired") == []
    assert read(book, "limits", "--before", "2024-01-01") == []
    [refund] = read(book, "due", "--claim", "K-1")
    assert (refund["kind"], refund["status"], refund["met_on"]) == ("refund", "met", "2024-03-07")
    assert read(book, "due", "--guarantee", "payment", "--contract", "CC-1") == [refund]
    assert {row["kind"] for row in read(book, "due", "--status", "open")} == {
        "termination_letter",
        "term_end",
    }
    assert read(book, "due", "--before", "2024-03-20") == [
        row for row in read(book, "due") if row["due_on"] < "2024-03-20"
    ]
    assert [row["claim"] for row in read(book, "claim", "list", "--status", "accepted")] == ["K-1"]


def test_an_earlier_position_tells_what_was_known_and_an_earlier_day_what_is_known_of_it(
    book: Typed,
) -> None:
    history = read(book, "claim", "history", "K-1")
    corrected = next(row["position"] for row in history if row["type"] == "claim.IncidentCorrected")
    before = str(corrected - 1)
    assert read(book, "claim", "show", "K-1", "--as-of", before)["incident_on"] == "2024-03-01"
    assert read(book, "claim", "show", "K-1", "--on", "2024-03-06")["incident_on"] == "2024-02-28"
    uncorrected = read(book, "claim", "show", "K-1", "--on", "2024-03-06", "--as-of", before)
    assert (uncorrected["incident_on"], uncorrected["refunded_cents"]) == ("2024-03-01", 0)
    [payment] = read(book, "limits", "--claim", "K-1", "--on", "2024-03-06")
    assert (payment["count_consumed"], payment["amount_consumed_cents"]) == (1, 500_000)
    assert read(book, "claim", "list", "--on", "2024-03-03") == []
    assert book.run("limits", "--as-of", "2024-01-01").code == 1  # nothing was sealed by then
    assert read(book, "limits", "--as-of", "2024-01-01", "--empty-ok") == []
    assert len(read(book, "limits", "--as-of", "2190-01-01T00:00:00Z")) == 4


def test_a_replay_tells_what_each_event_changed_and_shuts_what_is_personal(book: Typed) -> None:
    told = read(book, "replay", "CC-1")
    assert [event["position"] for event in told] == list(range(told[-1]["position"] + 1))
    assert {event["stream"] for event in told} == {"contract/CC-1", "claim/K-1", "complaint/X-1"}
    consumed = next(event for event in told if event["type"] == "contract.LimitConsumed")
    assert consumed["changes"]["limits.1.payment.count_consumed"] == [0, 1]
    assert (consumed["actor"], consumed["command_id"]) == ("desk-7", "c-4")
    refunded = next(event for event in told if event["type"] == "claim.RefundIssued")
    assert refunded["changes"]["due.refund.1.status"] == ["open", "met"]
    assert told[0]["payload"]["policyholder"]["name"] == "[sealed]"
    own = read(book, "replay", "CC-1", "--own")
    assert own == [event for event in told if event["stream"] == "contract/CC-1"]
    assert [event["version"] for event in own] == list(range(1, len(own) + 1))
    assert read(book, "replay", "K-1", "--claim") == [
        event for event in told if event["stream"] == "claim/K-1"
    ]


def test_the_feed_is_read_from_a_position_and_by_type(book: Typed) -> None:
    everything = read(book, "events")
    assert [event["position"] for event in everything] == list(range(len(everything)))
    assert read(book, "events", "--since", "3") == everything[4:]
    assert everything[0]["payload"]["policyholder"] == {
        "person": "P-1",
        "name": "[sealed]",
        "email": "[sealed]",
        "address": None,
    }
    refunds = read(book, "events", "--type", "claim.RefundIssued", "--type", "claim.ClaimAccepted")
    assert [event["type"] for event in refunds] == ["claim.ClaimAccepted", "claim.RefundIssued"]


def test_tables_for_people_hold_amounts_with_their_currency_and_no_names(book: Typed) -> None:
    for words in (
        ("contract", "show", "CC-1"),
        ("limits",),
        ("due",),
        ("claim", "show", "K-1"),
        ("contract", "history", "CC-1"),
        ("replay", "CC-1"),
        ("events",),
        ("projections", "list"),
    ):
        ended = book.run(*words)
        assert ended.code == 0, ended.stderr
        assert ended.stdout
        assert not any(name in ended.stdout for name in NAMES)
    assert "5,000.00 of 5,000.00 EUR" in book.run("limits").stdout


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("contract", "show", "CC-9"), "There is no contract 'CC-9'", 1),
        (("contract", "show", "CC-9"), "in book cyber-care, which is empty: see", 1),
        (("replay", "CC-9"), "There is no contract 'CC-9'", 1),
        (("limits", "--as-of", "99999"), "Position 99999 is not there yet", 2),
        (("limits", "--as-of", "2024-01-01T10:00:00"), "neither a position", 2),
        (("due", "--before", "soon"), "'soon' is no date", 2),
        (("events", "--type", "claim.RefundIsued"), "claim.RefundIssued", 2),
        (("projections", "rebuild"), "--all", 2),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    typed: Typed, words: tuple[str, ...], said: str, code: int
) -> None:
    ended = typed.run(*words)
    assert (ended.code, ended.stdout) == (code, "")
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_empty_lists_say_so_kindly_and_are_empty_arrays_for_programs(typed: Typed) -> None:
    for words in (
        ("contract", "list"),
        ("claim", "list"),
        ("complaint", "list"),
        ("limits",),
        ("due",),
        ("events",),
    ):
        ended = typed.run(*words)
        assert (ended.code, ended.stdout) == (0, "")
        assert ended.stderr.strip().endswith((".", "help."))
        assert typed.rows(*words) == []


def test_views_are_listed_rebuilt_and_compared(book: Typed) -> None:
    book.run("limits")
    assert [row["view"] for row in read(book, "projections", "list")] == [*VIEWS, "directory"]
    before = read(book, "limits")
    rebuilt = read(book, "projections", "rebuild", "--all")
    assert len({row["positions"] for row in rebuilt}) == 1
    assert read(book, "limits") == before
    assert read(book, "projections", "diff") == []


def test_no_table_of_the_read_side_or_the_time_side_holds_a_name_or_what_a_person_wrote(
    book: Typed, database: Database
) -> None:
    book.run("contract", "show", "CC-1")
    book.run("deadlines", "list")
    with closing(psycopg2.connect(database.superuser_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
            " where table_schema in ('projections', 'schedulers')"
        )
        tables = [name for (name,) in cursor.fetchall()]
        filled = 0
        for table in tables:
            cursor.execute(f"select t::text from {table} t")
            rows = "\n".join(row for (row,) in cursor.fetchall())
            filled += bool(rows)
            assert not any(name in rows for name in NAMES)
        assert filled >= 7


def test_a_replay_shows_what_was_erased_as_erased(book: Typed, database: Database) -> None:
    erase = (
        "update vault.subjects set wrapped = null, master_id = null, erased_at = now() where person = 'P-1'"
    )
    execute(database.superuser_dsn, erase)
    told = read(book, "replay", "CC-1")
    assert told[0]["payload"]["policyholder"]["name"] == "[erased]"
    assert told[0]["payload"]["policyholder"]["person"] == "P-1"
    assert "[sealed]" not in json.dumps(told)


def test_a_view_that_had_to_leave_an_event_out_says_so_until_it_is_rebuilt(
    book: Typed, database: Database
) -> None:
    book.run("limits")
    parked = (
        "insert into ledger.parked (book, follower, position, stream, version, event_id, type, error) values"
    )
    execute(
        database.superuser_dsn, f"{parked} ('cyber-care', 'limits', 3, 's', 1, gen_random_uuid(), 't', 'e')"
    )
    assert "1 events could not be folded into limits" in book.run("limits").stderr
    assert "limits" not in book.run("due").stderr
    parked_rows = {row["view"]: row["parked"] for row in read(book, "projections", "list")}
    assert parked_rows == dict.fromkeys([*VIEWS, "directory"], 0) | {"limits": 1}
    book.run("projections", "rebuild", "limits")
    assert book.run("limits").stderr == ""


def test_a_feed_that_ends_before_a_view_is_refused_in_one_line(book: Typed, database: Database) -> None:
    book.run("limits")
    execute(database.superuser_dsn, "update ledger.followers set position = 10000 where name = 'limits'")
    ended = book.run("limits")
    assert (ended.code, ended.stderr.count("\n")) == (1, 1)
    assert "rebuild" in ended.stderr
