"""What an earlier version took is known again; what is new must be what can be used today."""

import json
from pathlib import Path

import pytest

from fixtures.desk import Fields, contract, recorded_before, send
from fixtures.program import CommandLine
from ledger.app import App

WHEN = "2026-03-02T09:00:00+01:00"
PERSON = {"person": "P-1", "name": "Ada Peeters"}
TAKEN_BEFORE = (
    contract("CC/1"),
    contract(policyholder=PERSON | {"name": "Ada\nPeeters"}),
    contract(policyholder=PERSON | {"email": "a@x.org, b@y.org"}),
    contract(policyholder=PERSON | {"address": "\u202eRue Haute 1"}),
)

before = pytest.mark.parametrize("fields", TAKEN_BEFORE, ids=["number", "name", "email", "address"])


@before
def test_a_command_of_before_is_repeated_and_the_same_as_a_new_one_is_invalid(
    wiring: App, fields: Fields
) -> None:
    recorded_before(wiring, "StartContract", fields, WHEN, command_id="from-before")
    again = send(wiring, "StartContract", fields, WHEN, command_id="from-before")
    assert (again.status, [event.type for event in again.events]) == (
        "repeated",
        ["contract.ContractStarted"],
    )
    anew = send(wiring, "StartContract", fields, WHEN, command_id="new")
    assert (anew.status, anew.events) == ("invalid", ())
    reused = send(
        wiring, "StartContract", fields | {"starts_on": "2026-02-01"}, WHEN, command_id="from-before"
    )
    assert (reused.status, reused.code) == ("refused", "ID_REUSED")


@before
def test_an_import_of_before_is_finished_with_what_is_new_in_it(
    wiring: App, command_line: CommandLine, tmp_path: Path, fields: Fields
) -> None:
    recorded_before(wiring, "StartContract", fields, WHEN, command_id="from-before")
    lines = [
        {"command_id": "from-before", "command": "StartContract", "at": WHEN, "data": fields},
        {"command_id": "new", "command": "StartContract", "at": WHEN, "data": contract("CC-2")},
    ]
    file = tmp_path / "book.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    ended = command_line("import", str(file), "--json")
    assert ended.exit_code == 0, ended.err
    assert [json.loads(line)["status"] for line in ended.out.splitlines()] == ["repeated", "recorded"]
    lines[0]["command_id"] = "never-taken"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    refused = command_line("import", str(file))
    assert (refused.exit_code, refused.out) == (2, "")
