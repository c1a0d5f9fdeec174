"""The sample book, command by command, through the domain alone."""

import json
from collections.abc import Mapping

import pytest
from in_memory import EXAMPLES, InMemoryLedger, claim_row, contract_row, due_row, limit_row

from ledger.domain.claim.state import Claim
from ledger.domain.contract.state import Contract, limit_rows
from ledger.domain.terms import packaged_terms

Rows = list[Mapping[str, object]]


@pytest.fixture(scope="module")
def expected() -> Mapping[str, Rows]:
    return dict(json.loads((EXAMPLES / "book.expected.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def played() -> tuple[InMemoryLedger, Rows]:
    ledger = InMemoryLedger()
    answers: Rows = []
    for line in (EXAMPLES / "book.jsonl").read_text(encoding="utf-8").splitlines():
        command = json.loads(line)
        answer = ledger.submit(command["command"], command["data"], command["at"])
        kept = {key: answer[key] for key in ("status", "code") if key in answer}
        answers.append({"command_id": command["command_id"], **kept})
    ledger.elapse("2026-03-01")
    return ledger, answers


def _contracts(ledger: InMemoryLedger) -> list[Contract]:
    return [state for state in ledger.states.values() if isinstance(state, Contract)]


def _claims(ledger: InMemoryLedger) -> list[Claim]:
    return [state for state in ledger.states.values() if isinstance(state, Claim)]


def test_each_of_the_773_commands_is_answered_as_expected(
    played: tuple[InMemoryLedger, Rows], expected: Mapping[str, Rows]
) -> None:
    _, answers = played

    assert len(answers) == 773
    assert answers == expected["answers"]


def test_each_contract_stands_as_expected(
    played: tuple[InMemoryLedger, Rows], expected: Mapping[str, Rows]
) -> None:
    ledger, _ = played

    assert [contract_row(contract) for contract in _contracts(ledger)] == expected["contracts"]


def test_each_claim_stands_as_expected(
    played: tuple[InMemoryLedger, Rows], expected: Mapping[str, Rows]
) -> None:
    ledger, _ = played

    assert [claim_row(claim) for claim in _claims(ledger)] == expected["claims"]


def test_each_limit_is_used_as_expected(
    played: tuple[InMemoryLedger, Rows], expected: Mapping[str, Rows]
) -> None:
    ledger, _ = played

    rows = [
        limit_row(row) for contract in _contracts(ledger) for row in limit_rows(contract, packaged_terms())
    ]
    assert rows == expected["limits"]


def test_each_due_row_stands_as_expected(
    played: tuple[InMemoryLedger, Rows], expected: Mapping[str, Rows]
) -> None:
    ledger, _ = played

    rows = []
    for contract in _contracts(ledger):
        rows.extend(due_row(row) for row in contract.deadlines)
        for claim in _claims(ledger):
            if claim.contract == contract.number:
                rows.extend(due_row(row) for row in claim.deadlines)
    assert rows == expected["due"]
