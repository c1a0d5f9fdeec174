"""The worked examples of the date rules, each through the function that the rule is."""

import csv
from datetime import date

import pytest
from in_memory import EXAMPLES

from ledger.domain import calendar
from ledger.domain.calendar import brussels_date, roll_back, roll_forward
from ledger.domain.command import read_instant
from ledger.domain.terms import load_terms

PERIODS = load_terms("cyber-care").periods

with (EXAMPLES / "dates.csv").open(encoding="utf-8", newline="") as lines:
    ROWS = [
        (row["rule"], row["contract_starts_on"], row["given"], row["expected"])
        for row in csv.DictReader(lines)
    ]


def _of_contract(rule: str, start: date, given: str) -> date:
    term = int(given.removeprefix("term ")) if given.startswith("term ") else 1
    ends_on = calendar.term_end(start, term, PERIODS)
    letter = calendar.last_timely_letter(ends_on, PERIODS.insurer_notice_months)
    match rule:
        case "term_end":
            return ends_on
        case "notice_gate":
            return calendar.notice_gate(start, PERIODS)
        case "termination_letter_last_timely":
            return letter
        case "termination_letter_due":
            return roll_back(letter)
        case "withdrawal_last_day":
            concluded_on = date.fromisoformat(given)
            return roll_forward(calendar.withdrawal_raw_last_day(start, concluded_on, PERIODS))
    deemed_on = calendar.notice_deemed(start, date.fromisoformat(given), PERIODS)
    return {"notice_deemed": deemed_on, "notice_ends": calendar.notice_ends(deemed_on, PERIODS)}[rule]


def _of_receipt(rule: str, given: str) -> date:
    if rule == "local_date":
        return brussels_date(read_instant(given))
    day = date.fromisoformat(given)
    raw = calendar.refund_raw_due(day, PERIODS)
    return {
        "refund_raw_due": raw,
        "refund_due": roll_forward(raw),
        "refund_alert": roll_back(raw),
        "complaint_acknowledgement_due": calendar.acknowledgement_due(day, PERIODS),
        "complaint_answer_due": roll_forward(calendar.answer_raw_due(day, PERIODS)),
        "ombudsman_opinion_due": roll_forward(calendar.opinion_raw_due(day, PERIODS.ombudsman_days)),
    }[rule]


def test_the_examples_are_all_there() -> None:
    assert len(ROWS) == 112


@pytest.mark.parametrize(("rule", "start", "given", "expected"), ROWS)
def test_a_date_rule_gives_what_the_example_says(rule: str, start: str, given: str, expected: str) -> None:
    found = _of_contract(rule, date.fromisoformat(start), given) if start else _of_receipt(rule, given)

    assert str(found) == expected
