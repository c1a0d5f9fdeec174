"""Whoever opens a person's data leaves a line: who, what, why, and never what was read."""

import ast
from typing import Any

import pytest
from acquaintances import ADA, ADAS, BEN, BENS, HOLDS_ADA
from psycopg2 import errors

from architecture.sources import modules, tree
from fixtures.database import Database, execute
from fixtures.program import CommandLine
from ledger.app import App

pytestmark = pytest.mark.usefixtures("book")

WHY = ("--reason", "call of 1 March", "--actor", "desk-17")


def log(command_line: CommandLine, *person: str) -> list[dict[str, Any]]:
    ended = command_line("subject", "log", *person, "--json")
    assert ended.exit_code == 0, ended.err
    lines: list[dict[str, Any]] = ended.json
    return lines


@pytest.mark.parametrize(
    ("words", "opened"),
    [
        (("subject", "export", ADA), {(ADA, stream) for stream in HOLDS_ADA}),
        (
            ("contract", "show", "CC-1", "--names"),
            {(ADA, "contract/CC-1"), (ADA, "claim/K-1"), (ADA, "claim/K-2")},
        ),
        (("claim", "show", "K-3", "--names"), {(ADA, "claim/K-3")}),
        (
            ("replay", "CC-3", "--names"),
            {(BEN, "contract/CC-3"), (BEN, "claim/K-4"), (ADA, "claim/K-3")},
        ),
        (("replay", "CC-3", "--own", "--names"), {(BEN, "contract/CC-3")}),
        (("replay", "X-1", "--complaint", "--names"), {(ADA, "complaint/X-1")}),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else "",
)
def test_each_opening_leaves_a_line_a_person_and_stream(
    command_line: CommandLine, words: tuple[str, ...], opened: set[tuple[str, str]]
) -> None:
    ended = command_line(*words, *WHY, "--json")

    assert ended.exit_code == 0, ended.err
    lines = log(command_line)
    assert {(line["person"], line["stream"]) for line in lines} == opened
    what = " ".join(words[:2]) if words[0] != "replay" else "replay"
    assert {(line["who"], line["what"], line["why"]) for line in lines} == {
        ("desk-17", what, "call of 1 March")
    }
    assert len(lines) == len(opened)


@pytest.mark.parametrize(
    "words",
    [
        ("contract", "show", "CC-1"),
        ("claim", "show", "K-1"),
        ("replay", "CC-1"),
        ("subject", "show", ADA),
        ("subject", "list"),
        ("events",),
    ],
    ids=" ".join,
)
def test_what_opens_nothing_shows_nothing_and_leaves_no_line(
    command_line: CommandLine, words: tuple[str, ...]
) -> None:
    for form in ((), ("--json",)):
        ended = command_line(*words, *form)
        assert ended.exit_code == 0, ended.err
        assert not any(value in ended.out + ended.err for value in (*ADAS, *BENS))
    assert log(command_line) == []


def test_names_are_shown_as_they_were_corrected_and_earlier_as_they_were_then(
    command_line: CommandLine,
) -> None:
    (ada,) = command_line("contract", "show", "CC-1", "--names", *WHY, "--json").json["persons"]
    assert ada == {"person": ADA, "name": ADAS[1], "email": ADAS[2], "address": ADAS[3]}

    (then,) = command_line("contract", "show", "CC-1", "--names", "--as-of", "0", *WHY, "--json").json[
        "persons"
    ]
    assert then["name"] == ADAS[0]
    assert ADAS[1] in command_line("contract", "show", "CC-1", "--names", *WHY).out
    (victim,) = command_line("claim", "show", "K-3", "--names", *WHY, "--json").json["persons"]
    assert (victim["person"], victim["name"]) == (ADA, ADAS[0])


def test_replay_opens_narratives_accounts_and_reasons(command_line: CommandLine) -> None:
    for form in ((), ("--json",)):
        told = command_line("replay", "CC-1", "--names", *WHY, *form).out
        assert [value for value in (*ADAS[:6], ADAS[7], ADAS[8]) if value not in told] == []


@pytest.mark.parametrize(
    "words", [("contract", "show", "CC-1"), ("claim", "show", "K-1"), ("replay", "CC-1")]
)
def test_names_want_a_reason_and_a_reason_wants_names(
    command_line: CommandLine, words: tuple[str, ...]
) -> None:
    for given in (("--names",), ("--reason", "a look"), ("--names", "--reason", " \n ")):
        ended = command_line(*words, *given)
        assert ended.exit_code == 2
        assert "--reason" in ended.err
        assert ended.err.count("\n") == 1
    assert log(command_line) == []


def test_an_actor_that_is_time_itself_opens_nothing(command_line: CommandLine) -> None:
    ended = command_line("subject", "export", ADA, "--reason", "a look", "--actor", "time")
    assert (ended.exit_code, ended.out) == (2, "")
    assert log(command_line) == []


def test_an_opening_that_fails_has_left_its_line_before(
    book: App, command_line: CommandLine, database: Database
) -> None:
    assert book.book
    execute(
        database.superuser_dsn,
        "alter table ledger.events disable trigger append_only",
        """update ledger.events set payload = (select payload from ledger.events
           where stream = 'contract/CC-1' and version = 1) where stream = 'contract/CC-2'""",
    )
    ended = command_line("subject", "export", ADA, *WHY)

    assert (ended.exit_code, ended.out) == (1, "")
    assert "coverledger verify" in ended.err
    assert {line["stream"] for line in log(command_line)} == set(HOLDS_ADA)


def test_holds_and_erasures_stand_in_the_log_as_well(command_line: CommandLine) -> None:
    for words in (
        ("subject", "hold", "CC-1", "--reason", "lawsuit 12"),
        ("subject", "erase", ADA, "--reason", "letter 1"),
        ("subject", "lift-hold", "CC-1", "--reason", "judgment"),
        ("subject", "erase", ADA, "--reason", "letter 2"),
    ):
        command_line(*words)

    lines = log(command_line)
    assert [(line["what"], line["why"], line["person"], line["stream"]) for line in lines] == [
        ("subject hold", "lawsuit 12", None, "contract/CC-1"),
        ("subject lift-hold", "judgment", None, "contract/CC-1"),
        ("subject erase", "letter 2", ADA, None),
    ]
    assert log(command_line, ADA) == lines[2:]
    assert log(command_line, BEN) == []


def test_nobody_changes_the_log_and_only_auditors_read_it_beside_the_application(
    command_line: CommandLine, database: Database
) -> None:
    assert command_line("subject", "export", ADA, *WHY).exit_code == 0
    changes = (
        "update ledger.access_log set who = 'x'",
        "delete from ledger.access_log",
        "truncate ledger.access_log",
    )
    for change in changes:
        with pytest.raises(errors.ProhibitedSqlStatementAttempted, match="append-only"):
            execute(database.superuser_dsn, change)
        for dsn in (database.app_dsn, database.auditor_dsn):
            with pytest.raises(errors.InsufficientPrivilege):
                execute(dsn, change)
    for table in ("access_log", "holds"):
        execute(database.auditor_dsn, f"select * from ledger.{table}")
        for dsn in (database.reporting_dsn, database.sealer_dsn):
            with pytest.raises(errors.InsufficientPrivilege):
                execute(dsn, f"select * from ledger.{table}")
    with pytest.raises(errors.ProhibitedSqlStatementAttempted):
        execute(database.superuser_dsn, "delete from ledger.holds")
    with pytest.raises(errors.InsufficientPrivilege):
        execute(database.app_dsn, "update ledger.holds set because = 'another'")


def test_only_what_writes_the_log_opens_ciphertexts() -> None:
    writing_the_log = {
        "ledger.privacy.access",
        "ledger.store.vault",
        "ledger.store.event_store",
        "projections.views.directory",
        "projections.web.cancellation_mailer",
        "schedulers.cli.letters",
        "schedulers.letters.writer",
    }
    showing_nobody = {
        "ledger.store.subscriptions",  # a receiver's secret, no person's value
        "schedulers.letters.handover",  # LetterHandedOver says what went to the carrier
        "projections.views.directory",  # keeps its index sealed, and checks that it is right
    }
    opening = writing_the_log | showing_nobody
    found = {
        module
        for module, path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and (node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func))
        in {"unseal", "open_personal", "for_reading"}
    }
    assert found <= opening
