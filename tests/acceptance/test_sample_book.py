"""The sample book, through the real program: what is answered and what holds after it, exactly."""

import hashlib
import json
import os
import random
import signal
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from fixtures.database import Database
from fixtures.program import Program, ended_by

EXAMPLES = Path(__file__).parents[1] / "examples"
BOOK = str(EXAMPLES / "book.jsonl")
EXPECTED: dict[str, Any] = json.loads((EXAMPLES / "book.expected.json").read_text())
IMPORT = ("import", BOOK, "--until", EXPECTED["until"], "--json")

FULL = os.environ.get("FAULTS_FULL") == "1"

LISTS = {
    "contracts": ("contract", "list"),
    "claims": ("claim", "list"),
    "limits": ("limits",),
    "due": ("due",),
}
HOLDING = {"events", "commands", "log", "pending", "books", "imports"}


def answers(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines()]


def as_expected(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep of each row what is expected of it; more fields may stand beside them."""
    assert len(found) == len(expected)
    return [{key: row.get(key) for key in wanted} for row, wanted in zip(found, expected, strict=True)]


def assert_book_stands_as_expected(program: Program) -> None:
    for what, words in LISTS.items():
        rows, expected = program.rows(*words), EXPECTED[what]
        if what == "due":  # by due date; the example has each contract's together
            assert [row["due_on"] for row in rows] == sorted(row["due_on"] for row in rows)
            rows, expected = sorted(rows, key=_deadline), sorted(expected, key=_deadline)
        assert as_expected(rows, expected) == expected, what


def _deadline(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["subject"], row["kind"], row["raw_due_on"]


def whole(database: Database) -> dict[str, str]:
    """A digest of every table that a write would change."""
    digests = {}
    with closing(psycopg2.connect(database.superuser_dsn)) as connection, connection.cursor() as cursor:
        for table in sorted(HOLDING):
            cursor.execute(f"select t::text from ledger.{table} t order by 1")
            digests[table] = hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()
    return digests


def test_the_sample_book_is_answered_and_stands_exactly_as_expected(program: Program) -> None:
    imported = program.run(*IMPORT)

    assert imported.returncode == 1  # 83 of its commands are refused
    assert as_expected(answers(imported.stdout), EXPECTED["answers"]) == EXPECTED["answers"]
    assert "The book's time stands at 2026-02-28T23:00:00+00:00" in imported.stderr
    assert_book_stands_as_expected(program)


@pytest.mark.slow
def test_the_sample_book_stands_the_same_while_up_runs_beside_it(program: Program) -> None:
    beside = program.up()
    imported = program.run(*IMPORT)
    assert_book_stands_as_expected(program)
    code, said = ended_by(beside)

    assert as_expected(answers(imported.stdout), EXPECTED["answers"]) == EXPECTED["answers"]
    assert_book_stands_as_expected(program)
    assert code == 0
    assert "service_waits" not in said


@pytest.mark.slow
def test_a_second_import_repeats_every_first_answer_and_writes_nothing(
    program: Program, database: Database
) -> None:
    first = answers(program.run(*IMPORT).stdout)
    before = whole(database)
    second = program.run(*IMPORT)

    assert whole(database) == before
    assert second.returncode == 1  # the refused ones are still refused
    for again, once in zip(answers(second.stdout), first, strict=True):
        assert again["status"] == "repeated"
        assert again["first"] == {key: once[key] for key in ("status", "code") if key in once}
        assert again["events"] == once["events"]
    assert_book_stands_as_expected(program)


@pytest.mark.slow
def test_an_import_whose_reader_goes_away_is_imported_all_the_same(program: Program) -> None:
    running = program.start(*IMPORT)
    assert running.stdout is not None
    running.stdout.readline()
    running.stdout.close()
    assert running.wait() == 1
    assert running.stderr is not None
    said = running.stderr.read()
    running.stderr.close()

    assert "773 commands" in said
    assert "Traceback" not in said
    assert_book_stands_as_expected(program)


def killed_and_run_again(program: Program, seed: int) -> None:
    """Kill the import at a random moment, several times over, until one comes through."""
    chance = random.Random(seed)  # noqa: S311  # moments, no secrets
    for _ in range(3):
        running = program.start(*IMPORT)
        time.sleep(chance.uniform(0.2, 1.4))
        running.send_signal(signal.SIGKILL)
        running.communicate()
    assert program.run(*IMPORT).returncode == 1
    again = answers(program.run(*IMPORT).stdout)
    firsts = [{"command_id": answer["command_id"], **answer["first"]} for answer in again]
    assert as_expected(firsts, EXPECTED["answers"]) == EXPECTED["answers"]
    assert_book_stands_as_expected(program)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_an_import_killed_at_random_moments_and_run_again_ends_in_the_same_state(
    program: Program, seed: int
) -> None:
    killed_and_run_again(program, seed)


@pytest.mark.test_all
@pytest.mark.parametrize("seed", range(100, 120 if FULL else 101))
def test_an_import_killed_at_further_random_moments_ends_in_the_same_state(
    program: Program, seed: int
) -> None:
    killed_and_run_again(program, seed)
