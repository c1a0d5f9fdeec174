"""Erasures are proposed to a person: whose, since when, with what command; a legal hold shows."""

import json
import shlex
from pathlib import Path

import pytest

from fixtures.desk import claim, contract
from fixtures.program import CommandLine

BOOK = "training"


@pytest.fixture
def typed(command_line: CommandLine, tmp_path: Path) -> CommandLine:
    """A simulated book: CC-old ended in 2025 and paid in 2026, CC-gone ended in 2025, CC-runs renews."""
    family = {"person": "P-child", "name": "Bo", "relation": "family", "same_roof": True}
    old = {"claim": "K-1", "victim": family}
    lines = [
        ("2024-01-01", "StartContract", contract("CC-old", "2024-01-01")),
        ("2024-01-01", "StartContract", contract("CC-gone", "2024-01-01")),
        ("2024-01-01", "StartContract", contract("CC-runs", "2024-01-01")),
        ("2024-06-01", "OpenClaim", claim(on="CC-old", occurred_at="2024-05-01") | old),
        (
            "2024-06-01",
            "OpenClaim",
            claim("K-2", on="CC-runs", occurred_at="2024-05-01") | {"victim": family},
        ),
        ("2024-06-01", "IdentifyClaimant", {"claim": "K-1", "method": "callback"}),
        ("2024-06-01", "CompleteSubmission", {"claim": "K-1", "completed_at": "2024-06-01"}),
        ("2024-06-02", "AcceptClaim", {"claim": "K-1", "loss_cents": 5000}),
        ("2024-09-01", "SendTerminationNotice", posted("CC-old")),
        ("2024-09-01", "SendTerminationNotice", posted("CC-gone")),
        ("2026-02-03", "IssueRefund", {"claim": "K-1", "payment_reference": "R-1"}),
    ]
    file = tmp_path / "book.jsonl"
    file.write_text(
        "".join(
            json.dumps(
                {"command_id": f"c-{place}", "command": name, "at": f"{day}T09:00:00+02:00", "data": fields}
            )
            + "\n"
            for place, (day, name, fields) in enumerate(lines)
        )
    )
    assert command_line("init", "--simulated", "--book", BOOK).exit_code == 0
    assert command_line("import", str(file), "--until", "2026-03-01", "--book", BOOK).exit_code == 0
    return command_line


def posted(number: str) -> dict[str, object]:
    return {"contract": number, "posted_on": "2024-09-01", "tracking": "RR1BE"}


def retentions(typed: CommandLine, *words: str) -> dict[str, tuple[str, str]]:
    rows = typed("due", "--kind", "retention", "--book", BOOK, "--json", *words).json
    return {row["subject"]: (row["raw_due_on"], row["status"]) for row in rows}


def proposed(typed: CommandLine, until: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = typed(
        "deadlines", "retention", "--until", until, "--book", BOOK, "--json"
    ).json
    return rows


def test_due_shows_retention_when_it_is_asked_for_and_in_no_other_list(typed: CommandLine) -> None:
    assert retentions(typed) == {
        "contract:CC-old": ("2036-02-03", "open"),
        "contract:CC-gone": ("2035-01-01", "open"),
    }
    assert retentions(typed, "--contract", "CC-gone") == {"contract:CC-gone": ("2035-01-01", "open")}
    assert retentions(typed, "--before", "2035-06-01") == {"contract:CC-gone": ("2035-01-01", "open")}
    assert retentions(typed, "--status", "met") == {}
    assert retentions(typed, "--claim", "K-1") == {}
    # On a day before the payment, and before the end, as the business stood then.
    assert retentions(typed, "--on", "2026-01-31")["contract:CC-old"] == ("2035-01-01", "open")
    assert retentions(typed, "--on", "2024-12-31") == {}
    everything = typed("due", "--book", BOOK, "--json").json
    assert "retention" not in {row["kind"] for row in everything}
    assert {row["kind"] for row in typed("due", "--kind", "refund", "--book", BOOK, "--json").json} == {
        "refund"
    }
    shown = typed("contract", "show", "CC-old", "--book", BOOK, "--json").json
    assert "retention" not in {row["kind"] for row in shown["due"]}


def test_a_person_is_proposed_once_every_contract_that_holds_them_is_past_its_day(typed: CommandLine) -> None:
    assert proposed(typed, "2035-01-01") == []
    [gone] = proposed(typed, "2035-01-02")
    assert (gone["person"], gone["contracts"], gone["over_since"]) == ("P-CC-gone", ["CC-gone"], "2035-01-02")
    # The child is a victim on the contract that runs too, and so stays.
    assert [row["person"] for row in proposed(typed, "2036-02-04")] == ["P-CC-gone", "P-CC-old"]


def test_the_proposed_command_erases_and_the_proposal_goes(typed: CommandLine) -> None:
    [gone] = proposed(typed, "2035-01-02")
    program, *words = shlex.split(str(gone["command"]))
    assert program == "coverledger"
    assert typed(*words).exit_code == 0
    assert proposed(typed, "2035-01-02") == []
    assert retentions(typed)["contract:CC-gone"] == ("2035-01-01", "met")


def test_a_legal_hold_shows_and_offers_no_command(typed: CommandLine) -> None:
    held = typed("subject", "hold", "CC-gone", "--reason", "case 12", "--actor", "desk-7", "--book", BOOK)
    assert held.exit_code == 0
    [gone] = proposed(typed, "2035-01-02")
    assert gone["command"] is None
    assert [(hold["contract"], hold["by"]) for hold in gone["holds"]] == [("CC-gone", "desk-7")]
    printed = typed("deadlines", "retention", "--until", "2035-01-02", "--book", BOOK)
    assert "legal hold on CC-gone" in printed.out


def test_nothing_to_propose_is_said_kindly(typed: CommandLine) -> None:
    said = typed("deadlines", "retention", "--book", BOOK)
    assert (said.exit_code, said.out) == (0, "")
    assert "nobody's records may go" in said.err
