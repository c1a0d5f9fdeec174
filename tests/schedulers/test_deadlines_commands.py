"""`deadlines list` and `deadlines sweep`, as typed."""

import json
from pathlib import Path

import pytest

from fixtures.program import Program

START = {
    "contract": "CC-1",
    "product": "cyber-care",
    "starts_on": "2024-01-01",
    "policyholder": {"person": "P-1", "name": "Ada Peeters"},
}


@pytest.fixture
def with_a_contract(program: Program, tmp_path: Path) -> Program:
    lines = tmp_path / "book.jsonl"
    line = {"command_id": "c-1", "command": "StartContract", "at": "2024-01-01T09:00:00+01:00", "data": START}
    lines.write_text(json.dumps(line) + "\n")
    assert program.run("import", str(lines), "--until", "2024-02-01").returncode == 0
    return program


@pytest.mark.slow
def test_an_empty_diary_says_so_kindly(program: Program) -> None:
    assert program.rows("deadlines", "list") == []
    assert "empty" in program.run("deadlines", "list").stderr


@pytest.mark.slow
def test_the_diary_lists_the_next_first(with_a_contract: Program) -> None:
    [row] = with_a_contract.rows("deadlines", "list")
    assert row["stream"] == "contract/CC-1"
    assert row["kinds"] == ["termination_letter"]
    assert "termination letter" in with_a_contract.run("deadlines", "list").stdout


def test_a_real_ledger_refuses_a_sweep_into_the_future_in_one_line(with_a_contract: Program) -> None:
    ended = with_a_contract.run("deadlines", "sweep", "--until", "2190-01-01")
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: 2190-01-01 lies in the future")
    assert ended.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_sweep_until_a_day_includes_its_first_instant_and_no_more(with_a_contract: Program) -> None:
    # R6: the last timely day is 2024-09-30, so the letter is missed at 00:00 of the day after it (R12).
    assert events_swept(with_a_contract, "2024-09-30") == 0
    assert events_swept(with_a_contract, "2024-10-01") == 1
    assert events_swept(with_a_contract, "2024-10-01") == 0
    [letter] = [row for row in with_a_contract.rows("due") if row["kind"] == "termination_letter"]
    assert (letter["raw_due_on"], letter["status"]) == ("2024-09-30", "missed")


@pytest.mark.slow
def test_a_sweep_without_a_day_goes_on_to_the_present(with_a_contract: Program) -> None:
    swept = with_a_contract.run("deadlines", "sweep")
    assert swept.returncode == 0
    assert "Time has acted up to" in swept.stderr
    [contract] = with_a_contract.rows("contract", "list")
    assert contract["term"] >= 2


@pytest.mark.slow
def test_a_simulated_book_moves_its_clock_where_the_sweep_is_told(program: Program) -> None:
    assert program.run("init", "--simulated", "--book", "training").returncode == 0
    fields = json.dumps(START)
    sent = program.run(
        "submit", "StartContract", fields, "--at", "2024-01-01T09:00:00+01:00", "--book", "training"
    )
    assert sent.returncode == 0, sent.stderr
    swept = program.run("deadlines", "sweep", "--until", "2190-01-01", "--book", "training", "--json")
    assert json.loads(swept.stdout)["until"] == "2189-12-31T23:00:00+00:00"
    [contract] = program.rows("contract", "list", "--book", "training")
    assert (contract["term"], contract["ends_on"]) == (167, "2191-01-01")


def events_swept(program: Program, until: str) -> int:
    swept = program.run("deadlines", "sweep", "--until", until, "--json")
    assert swept.returncode == 0, swept.stderr
    events: int = json.loads(swept.stdout)["events"]
    return events
