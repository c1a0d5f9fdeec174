"""One program put together from what the packages register; errors in one line, with their exit codes."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from coverledger import __main__ as program
from coverledger.__main__ import run
from fixtures.database import Database, execute
from fixtures.desk import contract
from fixtures.program import CommandLine, Typed
from ledger.errors import Rejected, Unavailable, UsageError
from ledger.registry import Registry
from ledger.store.errors import KeyFileRefused, OutcomeUnknown


@click.command(help="Show it.")
def show() -> None:
    click.echo("shown")


@click.command(help="Make it.")
def make() -> None:
    click.echo("made")


@click.command()
@click.argument("how")
def fail(how: str) -> None:
    """Fail in a way."""
    raise FAILURES[how]


FAILURES: dict[str, Exception] = {
    "refused": Rejected("It was refused."),
    "used-wrongly": UsageError("It was used\nwrongly."),
    "unreachable": Unavailable("It cannot be reached."),
    "lost": OutcomeUnknown("It was lost."),
    "key": KeyFileRefused("The key is open to others."),
    "defect": ZeroDivisionError("ours"),
}


@pytest.fixture
def composed(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry()
    registry.add_group("thing", lambda: {"show": show})
    registry.add_group("thing", lambda: {"make": make}, summary="Things that are kept.")
    registry.add_verbs({"fail": "Fail in a way."}, lambda: {"fail": fail})
    monkeypatch.setattr(program, "compose", lambda: registry)


@pytest.mark.usefixtures("composed")
def test_groups_of_several_packages_become_one_by_their_name() -> None:
    whole = program.program()

    assert CliRunner().invoke(whole, ["thing", "make"]).output == "made\n"
    assert CliRunner().invoke(whole, ["thing", "show"]).output == "shown\n"
    helped = CliRunner().invoke(whole, ["thing", "--help"]).output
    assert "Things that are kept." in helped
    assert helped.index("make") < helped.index("show")
    assert "Fail in a way." in CliRunner().invoke(whole, ["--help"]).output


@pytest.mark.usefixtures("composed")
@pytest.mark.parametrize(
    ("how", "exit_code"), [("refused", 1), ("used-wrongly", 2), ("unreachable", 3), ("lost", 3), ("key", 1)]
)
def test_an_error_is_one_line_on_stderr_with_its_exit_code(
    how: str, exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["fail", how]) == exit_code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert printed.err.startswith("Error: ")


@pytest.mark.usefixtures("composed")
def test_a_defect_is_not_dressed_up_as_an_error_of_the_user() -> None:
    with pytest.raises(ZeroDivisionError):
        run(["fail", "defect"])


@pytest.mark.parametrize("words", [["nothing"], ["limits", "--nothing"], ["contract", "nothing"], ["submit"]])
def test_what_does_not_exist_is_used_wrongly_and_says_where_help_is(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    assert "--help" in capsys.readouterr().err


def test_submit_reads_its_fields_strictly(command_line: CommandLine) -> None:
    for fields in (
        '{"claim": "K", "loss_cents": 1.5}',
        '{"claim": "K", "claim": "L"}',
        "[]",
        "{",
        '{"claim": NaN}',
    ):
        typed = command_line("submit", "AcceptClaim", fields)
        assert (typed.exit_code, typed.out, len(typed.err.splitlines())) == (2, "", 1), fields
        told = command_line("submit", "AcceptClaim", fields, "--id", "one", "--json")
        assert (told.exit_code, told.json["command_id"], told.json["status"]) == (2, "one", "invalid")


def test_submit_prints_the_answer_as_json_or_in_words(command_line: CommandLine) -> None:
    words = (
        "submit",
        "StartContract",
        json.dumps(contract()),
        "--id",
        "one",
        "--at",
        "2026-01-01T09:00:00+01:00",
    )

    first = command_line(*words, "--json")
    assert (first.exit_code, first.json["status"], first.json["command_id"]) == (0, "recorded", "one")
    again = command_line(*words)
    assert again.exit_code == 0
    assert "Recorded before as one" in again.out
    refused = command_line("contract", "revoke-notice", "CC-1", "--reason", "none stands")
    assert (refused.exit_code, refused.out) == (1, "")
    assert "UNKNOWN" in refused.err


def test_submit_reads_stdin(command_line: CommandLine) -> None:
    typed = command_line("submit", "StartContract", "-", "--json", stdin=json.dumps(contract()).encode())

    assert typed.json["status"] == "recorded"
    assert command_line("submit", "StartContract", "-", stdin=b"{" + b" " * 70_000 + b"}").exit_code == 2


def test_ids_that_time_uses_are_not_for_others(command_line: CommandLine) -> None:
    typed = command_line("claim", "withdraw", "K-1", "--id", "time:claim/K-1@2026-01-01T00:00:00Z")

    assert typed.exit_code == 2
    assert "reserved" in typed.err


def test_the_actor_comes_from_the_option_else_from_the_setting(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COVERLEDGER_ACTOR", "desk-7")
    command_line("submit", "StartContract", json.dumps(contract("CC-1")), "--at", "2026-01-01T09:00:00+01:00")
    command_line(
        *("submit", "StartContract", json.dumps(contract("CC-2")), "--at", "2026-01-01T09:00:00+01:00"),
        *("--actor", "desk-8"),
    )
    events = command_line("events", "--since", "-1", "--json").json

    assert {event["actor"] for event in events if event["type"] == "contract.ContractStarted"} == {
        "desk-7",
        "desk-8",
    }


def test_a_book_is_a_ledger_of_its_own(command_line: CommandLine) -> None:
    for book in ("cyber-care", "other"):
        command_line("init", "--book", book)
        sent = command_line(
            "submit", "StartContract", json.dumps(contract()), "--id", "one", "--book", book, "--json"
        )
        assert sent.json["status"] == "recorded"


@pytest.mark.parametrize("book", ["", "../elsewhere", "a b", "-x", "x" * 65, "bo\udcffok"])
def test_what_is_no_name_of_a_book_is_used_wrongly(command_line: CommandLine, book: str) -> None:
    typed = command_line("limits", f"--book={book}")

    assert (typed.exit_code, len(typed.err.splitlines())) == (2, 1)


def test_bytes_that_are_no_text_are_used_wrongly(command_line: CommandLine) -> None:
    for words in (
        ("claim", "withdraw", "K\udcff"),
        ("claim", "withdraw", "K", "--id", "\udcff"),
        ("contract", "show", "C\udcff"),
    ):
        typed = command_line(*words)
        assert (typed.exit_code, len(typed.err.splitlines())) in {(2, 1), (1, 1)}, typed


def test_init_says_that_a_copy_of_the_master_key_is_to_be_kept(command_line: CommandLine) -> None:
    typed = command_line("init")

    assert typed.exit_code == 0
    assert "Keep a copy of" in typed.err
    assert "without the master key" in typed.err
    assert command_line("init").exit_code == 0


def test_a_book_stays_what_it_was_made_as(command_line: CommandLine) -> None:
    command_line("init", "--simulated", "--book", "training")

    assert command_line("init", "--simulated", "--book", "training").exit_code == 0
    assert command_line("init", "--book", "training").exit_code == 1
    assert "/simulated" in command_line("init", "--simulated", "--book", "training", "--json").json["origin"]


def findings(typed: Typed) -> dict[str, str]:
    return {finding["check"]: finding["state"] for finding in typed.json["checks"]}


def test_doctor_finds_all_well_and_tells_each_setting_with_its_origin(command_line: CommandLine) -> None:
    command_line("contract", "list")
    typed = command_line("doctor", "--json")

    assert typed.exit_code == 0
    assert set(findings(typed).values()) <= {"well", "hint"}
    assert {"server", "durability", "clock", "rights", "book", "feed", "lag", "master key"} <= set(
        findings(typed)
    )
    dsn = next(setting for setting in typed.json["settings"] if setting["name"] == "dsn")
    assert "environment" in dsn["origin"]
    assert "only-for-tests" not in typed.out
    assert "well" in command_line("doctor").out


def test_doctor_finds_a_key_that_is_open_to_others(command_line: CommandLine, tmp_path: Path) -> None:
    command_line("init")
    (tmp_path / "home" / "secrets" / "master.key").chmod(0o644)
    typed = command_line("doctor", "--json")

    assert typed.exit_code == 1
    assert findings(typed)["master key"] == "wrong"
    assert "chmod 600" in typed.out


def test_doctor_finds_a_loose_durability(command_line: CommandLine, database: Database) -> None:
    execute(database.superuser_dsn, f"alter database {database.name} set synchronous_commit = off")
    typed = command_line("doctor", "--json")

    assert typed.exit_code == 1
    assert findings(typed)["durability"] == "wrong"


def test_an_external_database_is_prepared_by_one_login_that_may_all(
    bare_line: CommandLine, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MIGRATE_DSN", "SEALER_DSN"):
        monkeypatch.delenv(f"COVERLEDGER_{name}")
    monkeypatch.setenv("COVERLEDGER_DSN", empty_database.owner_dsn)

    applied = bare_line("migrate", "--json").json["applied"]
    assert applied[0] == "0001_ground.sql"
    assert bare_line("migrate").out == "The schema is up to date.\n"
    bare_line("init")
    sent = bare_line("submit", "StartContract", json.dumps(contract()), "--json")
    assert sent.json["status"] == "recorded"
    assert len(bare_line("contract", "list", "--json").json) == 1


def test_an_external_database_that_needs_migrating_by_another_login_says_so(
    bare_line: CommandLine, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MIGRATE_DSN", "SEALER_DSN"):
        monkeypatch.delenv(f"COVERLEDGER_{name}")
    monkeypatch.setenv("COVERLEDGER_DSN", empty_database.app_dsn)
    for words in (("init",), ("migrate",)):
        typed = bare_line(*words)
        assert typed.exit_code == 1
        assert len(typed.err.splitlines()) == 1
        assert "COVERLEDGER_MIGRATE_DSN" in typed.err


def test_a_login_that_may_not_seal_records_says_so_in_one_line_and_doctor_finds_it(
    command_line: CommandLine, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    command_line("init")
    monkeypatch.setenv("COVERLEDGER_SEALER_DSN", database.app_dsn)
    sent = command_line("submit", "StartContract", json.dumps(contract()), "--json")

    assert (sent.exit_code, sent.json["status"]) == (1, "recorded")
    assert len(sent.err.splitlines()) == 1
    assert "COVERLEDGER_SEALER_DSN" in sent.err
    assert findings(command_line("doctor", "--json"))["rights"] == "wrong"


def test_doctor_tells_the_settings_even_when_nothing_can_be_reached(
    bare_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DSN", "MIGRATE_DSN", "SEALER_DSN"):
        monkeypatch.setenv(f"COVERLEDGER_{name}", "host=/nowhere dbname=none")
    typed = bare_line("doctor", "--json")

    assert typed.exit_code == 3
    assert len(typed.err.splitlines()) == 1
    assert typed.json["healthy"] is False
    assert findings(typed)["server"] == "wrong"
    assert "environment COVERLEDGER_DSN" in bare_line("doctor").out
