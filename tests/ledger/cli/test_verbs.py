"""The friendly verbs cover every command of the domain, field by field."""

from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from coverledger.__main__ import program
from ledger.cli import submit
from ledger.command_handler import Answer
from ledger.domain.registry import COMMANDS
from ledger.imports.csv_rows import columns_of
from ledger.verbs import VERBS, Verb


def test_every_command_of_the_domain_has_one_verb() -> None:
    assert sorted(verb.command for verb in VERBS) == sorted(COMMANDS)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.command)
def test_a_verb_has_an_option_for_every_field_of_its_command(verb: Verb) -> None:
    columns = set(columns_of(verb.command))
    in_euro = {column.removesuffix("_cents") for column in columns if column.endswith("_cents")}
    assert {verb.group, *(field.path for field in verb.fields)} == columns - in_euro


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.command)
def test_a_verb_demands_what_its_command_demands(verb: Verb) -> None:
    model = COMMANDS[verb.command]
    demanded = {name for name, field in model.model_fields.items() if field.is_required()}

    given = {field.path.split(".")[0] for field in verb.fields if field.required or field.default}
    assert given | {verb.group} == demanded


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.command)
def test_the_help_of_a_verb_shows_an_example_that_can_be_read(verb: Verb) -> None:
    command = submit.domain_verbs(verb.group)[verb.name]

    assert verb.example.startswith(f"coverledger {verb.group} {verb.name} ")
    assert verb.example in command.help
    assert all(f"--{field.option}" in verb.example for field in verb.fields if field.required)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    caught: list[tuple[str, dict[str, Any]]] = []

    def send(name: str, fields: dict[str, Any], **_envelope: object) -> int:
        caught.append((name, fields))
        return 0

    monkeypatch.setattr(submit, "send", send)
    return caught


def run(*words: str) -> Result:
    return CliRunner().invoke(program(), words)


@pytest.mark.parametrize(
    "written", [["--loss", "3.000,00 EUR"], ["--loss", "3000"], ["--loss-cents", "300000"]]
)
def test_a_loss_is_given_in_euro_or_in_cents(sent: list[Any], written: list[str]) -> None:
    run("claim", "accept", "K-1", *written)

    assert sent == [("AcceptClaim", {"claim": "K-1", "loss_cents": 300_000})]


@pytest.mark.parametrize(
    "written",
    [
        ["--loss", "3.000"],
        ["--loss-cents", "3000.5"],
        ["--loss-cents", "-5"],
        ["--loss-cents", "1e3"],
        ["--loss", "1", "--loss-cents", "100"],
        [],
    ],
)
def test_an_ambiguous_missing_or_fractional_amount_is_used_wrongly(
    sent: list[Any], written: list[str]
) -> None:
    outcome = run("claim", "accept", "K-1", *written)

    assert outcome.exit_code == 2
    assert sent == []


def test_nested_fields_lists_and_flags_reach_their_places(sent: list[Any]) -> None:
    run(
        *("claim", "open", "K-1", "--contract", "C", "--guarantee", "payment", "--cause", "fraud"),
        *("--occurred-at", "2026-02-07", "--channel", "phone", "--victim", "P", "--victim-name", "Ada"),
        *("--relation", "family", "--no-same-roof"),
    )
    run("claim", "advise", "K-1", "--topic", "block_card", "--topic", "change_passwords")

    assert sent[0][1]["victim"] == {"person": "P", "name": "Ada", "relation": "family", "same_roof": False}
    assert sent[1] == ("GiveAdvice", {"claim": "K-1", "topics": ["block_card", "change_passwords"]})


@pytest.mark.parametrize("day", ["2026-13-01", "01/02/2026", "20260201", "2026-2-1", "yesterday"])
def test_what_is_no_date_is_used_wrongly(sent: list[Any], day: str) -> None:
    outcome = run("contract", "notice", "C", "--received-on", day, "--channel", "email")

    assert outcome.exit_code == 2
    assert sent == []


def test_an_instant_without_offset_is_used_wrongly(sent: list[Any]) -> None:
    outcome = run("claim", "withdraw", "K", "--at", "2026-02-01T10:00:00")

    assert outcome.exit_code == 2
    assert "offset" in outcome.output
    assert sent == []


def test_every_command_and_group_explains_itself() -> None:
    def walk(command: click.Command, context: click.Context) -> None:
        assert command.help, context.command_path
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                walk(found, click.Context(found, parent=context, info_name=name))

    whole = program()
    walk(whole, click.Context(whole, info_name="coverledger"))


def test_an_answer_is_shown_with_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    refused = Answer("a", "refused", "LIMIT_COUNT", "I8", "No claim is left.")

    assert submit.show(refused, as_json=False) == 1
    assert "LIMIT_COUNT (I8): No claim is left." in capsys.readouterr().err
    assert submit.show(Answer("a", "invalid", message="at: is wrong"), as_json=True) == 2
    assert '"status": "invalid"' in capsys.readouterr().out
