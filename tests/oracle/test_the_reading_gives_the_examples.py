"""The second reading gives the examples of the page; else it could not judge the first."""

import csv
import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest

from oracle import brussels, due
from oracle.reading import Book

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def expected() -> dict[str, object]:
    return json.loads((EXAMPLES / "book.expected.json").read_text())


@pytest.fixture(scope="module")
def answered(expected: dict[str, object]) -> tuple[Book, list[dict[str, object]]]:
    book = Book()
    answers = [book.submit(json.loads(line)) for line in (EXAMPLES / "book.jsonl").read_text().splitlines()]
    book.advance(date.fromisoformat(str(expected["until"])))
    return book, answers


def test_each_command_of_the_sample_book_is_answered_as_expected(
    answered: tuple[Book, list[dict[str, object]]], expected: dict[str, object]
) -> None:
    assert answered[1] == expected["answers"]


@pytest.mark.parametrize("view", ["contracts", "claims", "limits", "due"])
def test_the_sample_book_ends_in_the_expected_rows(
    view: str, answered: tuple[Book, list[dict[str, object]]], expected: dict[str, object]
) -> None:
    rows, wanted = getattr(answered[0], view)(), expected[view]
    assert isinstance(wanted, list)
    assert [{name: row[name] for name in want} for row, want in zip(rows, wanted, strict=True)] == wanted


def days(given: str) -> date:
    return date.fromisoformat(given)


RULES: dict[str, Callable[[str, str], date]] = {
    "term_end": lambda start, given: brussels.term_end(days(start), int(given.removeprefix("term ") or 1)),
    "notice_gate": lambda start, _: brussels.notice_gate(days(start)),
    "termination_letter_last_timely": lambda start, _: brussels.last_timely_posting(
        brussels.term_end(days(start), 1)
    ),
    "termination_letter_due": lambda start, _: (
        due.termination_letter("", brussels.term_end(days(start), 1)).due
    ),
    "notice_deemed": lambda start, given: max(days(given), brussels.notice_gate(days(start))),
    "notice_ends": lambda start, given: brussels.notice_end(days(start), days(given)),
    "refund_raw_due": lambda _, given: brussels.refund_raw(days(given)),
    "refund_due": lambda _, given: due.rolled_forward("", "", "", brussels.refund_raw(days(given))).due,
    "refund_alert": lambda _, given: due.rolled_forward("", "", "", brussels.refund_raw(days(given))).alert,
    "local_date": lambda _, given: brussels.brussels_date(datetime.fromisoformat(given)),
    "complaint_acknowledgement_due": lambda _, given: brussels.add_working_days(days(given), 3),
    "complaint_answer_due": lambda _, given: brussels.roll_forward(brussels.answer_raw(days(given))),
    "ombudsman_opinion_due": lambda _, given: brussels.roll_forward(days(given) + 90 * brussels.DAY),
    "withdrawal_last_day": lambda start, given: brussels.roll_forward(
        brussels.withdrawal_raw(days(given), days(start))
    ),
}


def test_each_date_rule_gives_its_examples() -> None:
    with (EXAMPLES / "dates.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    given = [RULES[row["rule"]](row["contract_starts_on"], row["given"]).isoformat() for row in rows]
    assert given == [row["expected"] for row in rows]
