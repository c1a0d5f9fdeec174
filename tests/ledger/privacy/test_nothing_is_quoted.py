"""No answer that is kept, no message and no log line holds a person's values."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from acquaintances import ADA, ADAS, opened, started

from fixtures.desk import Fields, send
from fixtures.program import CommandLine
from ledger.app import App
from ledger.command_envelope import submission

TYPED = "Geheimnis-Ada"
IBAN = "BE71096123456769"

MALFORMED: tuple[tuple[str, Fields], ...] = (
    ("StartContract", started("CC-9", ADA, f"{TYPED}\x07")),
    ("StartContract", started("CC-9", ADA, TYPED * 1000)),
    ("StartContract", started("CC-9", ADA, TYPED) | {"starts_on": "2026-02-30"}),
    ("StartContract", started("CC-9", ADA, TYPED) | {"product": "no-such-product"}),
    ("StartContract", started("CC-9", ADA, TYPED) | {"surplus": TYPED}),
    ("StartContract", {"contract": "CC-9", "policyholder": TYPED}),
    ("StartContract", {"contract": "CC-9", "policyholder": [TYPED]}),
    ("StartContract", {"contract": "CC-9", "policyholder": {"person": ADA, "name": {"first": TYPED}}}),
    ("CorrectPerson", {"contract": "CC-1", "person": ADA, "address": [TYPED]}),
    ("CorrectPerson", {"contract": "CC-1", "person": ADA, "address": 7, "name": TYPED}),
    ("OpenClaim", opened("K-9", "CC-1", ADA, TYPED, TYPED) | {"occurred_at": TYPED}),
    ("OpenClaim", opened("K-9", "CC-1", ADA, TYPED, TYPED) | {"guarantee": "none"}),
    ("IssueRefund", {"claim": "K-1", "payment_reference": "PAY-9", "iban": {"number": TYPED}}),
    ("IssueRefund", {"claim": "K-1", "amount_cents": "12", "payment_reference": "PAY-9", "iban": TYPED}),
)
REFUSED: tuple[tuple[str, Fields], ...] = (
    ("StartContract", started("CC-1", ADA, TYPED)),
    ("StartContract", started("CC-9", ADA, TYPED) | {"starts_on": "2027-01-01"}),
    ("CorrectPerson", {"contract": "CC-3", "person": ADA, "name": TYPED}),
    ("CorrectPerson", {"contract": "CC-404", "person": ADA, "name": TYPED}),
    ("OpenClaim", opened("K-1", "CC-1", ADA, TYPED, TYPED)),
    ("OpenClaim", opened("K-9", "CC-1", ADA, TYPED, TYPED) | {"occurred_at": "2199-01-01"}),
    ("RejectClaim", {"claim": "K-1", "code": "OUTSIDE_COVER", "reason": TYPED}),
    ("IssueRefund", {"claim": "K-1", "payment_reference": "PAY-1", "iban": IBAN}),
    (
        "LodgeComplaint",
        {"complaint": "X-1", "contract": "CC-1", "received_on": "2026-02-08", "subject": TYPED},
    ),
)


def ids(commands: tuple[tuple[str, Fields], ...]) -> list[str]:
    return [f"{name}-{number}" for number, (name, _) in enumerate(commands)]


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize(("name", "fields"), [*MALFORMED, *REFUSED], ids=ids((*MALFORMED, *REFUSED)))
def test_a_command_that_is_not_taken_is_told_so_without_its_values(
    command_line: CommandLine, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, fields: Fields
) -> None:
    caplog.set_level(logging.DEBUG)
    line = {"command_id": "c-9", "command": name, "at": "2026-03-01T09:00:00+01:00", "data": fields}
    (tmp_path / "one.jsonl").write_text(json.dumps(line) + "\n")

    for words in (("submit", name, json.dumps(fields)), ("import", str(tmp_path / "one.jsonl"))):
        for form in ((), ("--json",)):
            ended = command_line(*words, *form)
            assert ended.exit_code in {1, 2}, ended.out
            assert ended.out + ended.err
            assert TYPED not in ended.out + ended.err + caplog.text
            assert ended.err.count("\n") <= 3


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize(
    "written",
    [
        f'{{"command_id":"c","command":"CorrectPerson","at":"2026-03-01T09:00:00Z","data":"{TYPED}"}}',
        f'{{"command_id":"c","command":"CorrectPerson","at":"2026-03-01T09:00:00Z","data":["{TYPED}"]}}',
        f'"{TYPED}"',
        f'{{"command_id":"c","name":"{TYPED}"',
    ],
)
def test_a_line_that_is_no_command_is_told_so_without_quoting_it(
    command_line: CommandLine, tmp_path: Path, written: str
) -> None:
    (tmp_path / "one.jsonl").write_text(written + "\n")
    ended = command_line("import", str(tmp_path / "one.jsonl"))
    assert ended.exit_code == 2
    assert TYPED not in ended.out + ended.err


@pytest.mark.usefixtures("book")
def test_a_table_whose_columns_have_slipped_is_refused_without_quoting_its_cells(
    command_line: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "OpenClaim.csv").write_text(
        "command_id,at,claim,contract,guarantee,cause,occurred_at,channel,"
        "victim.person,victim.same_roof,victim.name,victim.relation\n"
        f"c,2026-03-01T09:00:00Z,K-9,CC-1,payment,fraud,2026-02-01,phone,P-ADA,{TYPED},true,{TYPED}\n"
    )
    ended = command_line("import", str(tmp_path / "OpenClaim.csv"))
    assert ended.exit_code == 2
    assert TYPED not in ended.out + ended.err


def kept_answers(wiring: App) -> list[dict[str, Any]]:
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select answer from ledger.commands where book = %s", (wiring.book,))
        return [json.loads(answer) for (answer,) in cursor]


def test_no_answer_that_is_kept_for_ever_holds_a_persons_values(book: App) -> None:
    for name, fields in REFUSED:
        assert send(book, name, fields).status == "refused", name

    answers = kept_answers(book)

    assert len([answer for answer in answers if answer["status"] == "refused"]) == len(REFUSED)
    assert not any(value in str(answers) for value in (TYPED, IBAN, *ADAS))


def test_a_submission_that_is_shown_shows_nothing_personal() -> None:
    sent = submission("c", "CorrectPerson", {"contract": "CC-1", "person": ADA, "name": TYPED})
    assert TYPED not in repr(sent)
