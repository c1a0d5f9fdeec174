"""No command but those that say so makes a ledger, or changes one, where it is pointed at."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import click
import psycopg2
import pytest

from coverledger.__main__ import program, run
from fixtures.database import Database, execute
from fixtures.desk import contract
from fixtures.program import CommandLine, Typed, settings_of
from ledger.migrate import migrations

MAKERS = {"up", "init", "migrate", "import", "restore"}
"""Make a ledger where there is none; `restore` only of a backup that can be read."""

FURTHER = (
    ("restore", "--accept", "--yes"),
    ("import", "--abandon"),
    ("projections", "rebuild", "--all"),
    ("keys", "rotate", "--signing"),
    ("limits",),
    ("limits", "--as-of", "2026-01-01T00:00:00+01:00"),
    ("contract", "show", "CC-1", "--on", "2026-01-01"),
    ("due", "--json"),
    ("doctor", "--json"),
    ("verify",),
    ("claim", "accept", "x-1", "--loss", "10"),
    ("claim", "recovery", "x-1", "--payer", "x-1", "--amount", "10"),
    ("letters", "answer", "x-1", "--no-text"),
    ("letters", "confirm", "x-1", "--posted-on", "2026-01-01"),
    ("subscriptions", "add", "x-1", "--webhook", "https://erp.example/claims"),
)
"""Beside each command with no more than it needs."""

NEEDS_MORE = {("claim", "accept"), ("claim", "recovery"), ("letters", "answer"), ("letters", "confirm")} | {
    ("subscriptions", "add"),
    ("verify", "x-1"),
}
"""What is required of these stands in FURTHER; `verify` of a file asks no database."""

GIVEN = {
    ("receive-document", "--sha256"): "0" * 64,
    ("listen", "--forward-to"): "https://erp.example/claims",
    ("bordereau", "month"): "2026-02",
    ("submit", "fields"): '{"contract": "CC-1", "received_on": "2026-01-01", "channel": "email"}',
    ("submit", "name"): "GiveNotice",
}
"""What a parameter is given where any word would not do."""


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            if isinstance(command, click.Group):
                yield from leaves(command, (*path, name))
            else:
                yield (*path, name), command


def words_of(path: tuple[str, ...], command: click.Command) -> tuple[str, ...]:
    """A call with all that the command needs, and no more."""
    words = list(path)
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            words += [value_of(path, parameter)]
        elif parameter.required:
            flag = isinstance(parameter, click.Option) and parameter.is_flag
            words += [parameter.opts[0], *([] if flag else [value_of(path, parameter)])]
    return tuple(words)


def value_of(path: tuple[str, ...], parameter: click.Parameter) -> str:
    given = GIVEN.get((path[-1], parameter.opts[0]))
    if given is not None:
        return given
    match parameter.type:
        case click.Choice(choices=choices):
            return str(choices[0])
        case click.IntRange() | click.types.IntParamType():
            return "1"
    samples = {"date": "2026-01-01", "instant": "2026-01-01T00:00:00Z", "moment": "2026-01-01"}
    return samples.get(parameter.type.name, "10" if parameter.type.name in {"amount", "cents"} else "x-1")


def calls() -> list[tuple[str, ...]]:
    made = [words_of(path, command) for path, command in leaves(program()) if path[0] not in MAKERS]
    return [words for words in made if words[:2] not in NEEDS_MORE] + list(FURTHER)


def test_fault_12_the_walk_meets_every_command() -> None:
    named = {words[:2] for words in calls()} | {words[:1] for words in calls()}
    assert len(calls()) > 80
    assert {("contract", "list"), ("letters", "prepare"), ("doctor",), ("backup", "x-1")} <= named


Snapshot = dict[str, object]


def catalogue(database: Database) -> Snapshot:
    """What stands in the database and beside it: schemas, relations, functions, roles, databases, books."""
    with closing(psycopg2.connect(database.superuser_dsn)) as connection, connection.cursor() as cursor:
        seen: Snapshot = {}
        for name, asked in (
            ("schemas", "select nspname from pg_namespace where nspname !~ '^pg_(toast_)?temp' order by 1"),
            ("relations", "select oid::regclass::text from pg_class where relnamespace > 11 order by 1"),
            ("functions", "select count(*) from pg_proc"),
            ("roles", f"select rolname from pg_roles where rolname like '{database.name}%' order by 1"),
            ("members", "select count(*) from pg_auth_members"),
        ):
            cursor.execute(asked)
            seen[name] = cursor.fetchall()
        cursor.execute("select to_regclass('ledger.books') is not null")
        if cursor.fetchone() == (True,):
            for table in ("books", "epochs", "migrations", "tokens", "followers"):
                cursor.execute(f"select count(*) from ledger.{table}")
                seen[table] = cursor.fetchall()
        return seen


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def nothing_is_made(
    line: Callable[..., Typed], seen: Callable[[], object], said: str, tmp_path: Path
) -> None:
    before, there = seen(), files(tmp_path)
    for words in calls():
        typed = line(*words)
        where = f"{words}: {typed}"
        assert typed.exit_code == 3, where
        assert said in typed.out + typed.err, where
        assert "coverledger " in typed.err, where
        assert "Traceback" not in typed.err, where
        assert len(typed.err.splitlines()) == 1, where
        if words[0] != "doctor":
            assert typed.out == "", where
        assert files(tmp_path) == there, where
    assert seen() == before


@pytest.fixture
def line(bare_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line on nothing yet, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return bare_line


def pointed_at(monkeypatch: pytest.MonkeyPatch, database: Database) -> None:
    for name, dsn in settings_of(database).items():
        monkeypatch.setenv(f"COVERLEDGER_{name.upper()}", dsn)


@pytest.mark.test_all
def test_fault_12_an_empty_database_stays_empty(
    line: CommandLine, empty_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pointed_at(monkeypatch, empty_database)
    nothing_is_made(line, lambda: catalogue(empty_database), "There is no ledger here", tmp_path)


@pytest.mark.test_all
def test_fault_12_a_database_of_others_stays_as_it_is(
    line: CommandLine, empty_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pointed_at(monkeypatch, empty_database)
    execute(
        empty_database.owner_dsn,
        "create schema ledger",
        "create table ledger.accounts (id int)",
        "create table ledger.migrations (id int, name text)",
        "create table public.users (name text)",
    )
    nothing_is_made(line, lambda: catalogue(empty_database), "There is no ledger here", tmp_path)


@pytest.mark.test_all
@pytest.mark.parametrize("home", ["missing", "empty", "with other things"])
def test_fault_12_a_home_without_a_ledger_stays_as_it_is(
    line: CommandLine, home: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("DSN", "MIGRATE_DSN", "SEALER_DSN"):
        monkeypatch.delenv(f"COVERLEDGER_{name}")
    if home != "missing":
        (tmp_path / "home").mkdir()
    if home == "with other things":
        (tmp_path / "home" / "secrets").mkdir()
        (tmp_path / "home" / "notes.txt").write_text("not the ledger's")
    nothing_is_made(line, list, "There is no ledger here", tmp_path)


@pytest.mark.test_all
def test_fault_12_a_book_that_nobody_made_is_not_made(
    line: CommandLine, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert line("init").exit_code == 0
    monkeypatch.setenv("COVERLEDGER_BOOK", "typo")
    whole = {
        ("backup", "x-1"),
        ("keys", "kept"),
        ("keys", "list"),
        ("keys", "rotate"),
        ("restore", "--accept"),
    }
    before, there = catalogue(database), files(tmp_path)
    for words in calls():
        if words[:2] in whole and "--signing" not in words:
            continue  # They work on all books, and none is named.
        typed = line(*words)
        assert typed.exit_code == 3, (words, typed)
        assert "There is no ledger here of a book 'typo' (it has cyber-care)" in typed.out + typed.err, typed
        assert "coverledger init --book typo" in typed.err
        assert files(tmp_path) == there, words
    assert catalogue(database) == before


@pytest.mark.test_all
def test_fault_12_a_ledger_of_before_is_not_migrated_by_a_read(
    line: CommandLine, database: Database, tmp_path: Path
) -> None:
    assert line("init").exit_code == 0
    newest = migrations()[-1].name
    execute(database.superuser_dsn, f"delete from ledger.migrations where name = '{newest}'")
    nothing_is_made(line, lambda: catalogue(database), "coverledger migrate", tmp_path)
    assert newest in line("contract", "list").err


def test_fault_12_a_read_of_a_typing_error_says_what_there_is_and_makes_nothing(
    line: CommandLine, database: Database, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = catalogue(database)
    unmade = line("contract", "list")
    assert (unmade.exit_code, "it has no book yet" in unmade.err) == (3, True)
    assert catalogue(database) == before
    pointed_at(monkeypatch, empty_database)
    before = catalogue(empty_database)
    for words in (("contract", "list"), ("contract", "start", "C-1", "--starts-on", "2026-01-01")):
        typed = line(*words, *(("--person", "P-1", "--name", "Ada") if "start" in words else ()))
        assert typed.exit_code == 3, typed
        assert empty_database.name in typed.err
        assert empty_database.app_dsn not in typed.err
    assert catalogue(empty_database) == before


def test_fault_12_an_import_that_is_only_tried_makes_nothing(
    line: CommandLine, empty_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pointed_at(monkeypatch, empty_database)
    start = json.dumps(contract())
    book = tmp_path / "book.jsonl"
    # In the future by any clock: then the book is asked for its time.
    for at, exit_code in (("2026-01-01T00:00:00Z", 0), ("2190-01-01T00:00:00Z", 2)):
        written = f'{{"command_id":"1","command":"StartContract","at":"{at}","data":{start}}}\n'
        book.write_text(written, encoding="utf-8")
        before, there = catalogue(empty_database), files(tmp_path)
        typed = line("import", str(book), "--dry-run")
        assert typed.exit_code == exit_code, typed
        assert (catalogue(empty_database), files(tmp_path)) == (before, there)
    assert line("import", str(book)).exit_code == 2  # in the future: nothing is made for it either
    assert (catalogue(empty_database), files(tmp_path)) == (before, there)


def test_fault_12_migrate_asks_before_a_database_that_holds_other_tables(
    line: CommandLine, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pointed_at(monkeypatch, empty_database)
    execute(empty_database.owner_dsn, "create table users (name text)", "create view names as table users")
    before = catalogue(empty_database)
    for words, exit_code in ((("migrate",), 2), (("init",), 1), (("up", "--port", "1"), 1)):
        refused = line(*words)
        assert refused.exit_code == exit_code, refused
        assert "public.names, public.users" in refused.err
        assert "--yes" in refused.err
        assert catalogue(empty_database) == before
    for answer, exit_code in (("n\n", 130), ("y\n", 0)):
        asked = answered(monkeypatch, answer, "migrate")
        assert asked == exit_code
        assert (catalogue(empty_database) == before) == (answer == "n\n")
    assert line("migrate").out == "The schema is up to date.\n"


def test_fault_12_migrate_does_not_ask_with_yes_or_where_the_ledger_is_alone(
    line: CommandLine, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pointed_at(monkeypatch, empty_database)
    execute(empty_database.owner_dsn, "create table users (name text)")
    assert line("migrate", "--yes").exit_code == 0
    # Where the ledger stands beside others already, nobody is asked again.
    newest = migrations()[-1].name
    before = catalogue(empty_database)["relations"]
    assert line("migrate", "--yes").exit_code == 0
    assert catalogue(empty_database)["relations"] == before
    assert newest not in line("contract", "list").err


def test_fault_12_a_schema_of_that_name_which_is_not_the_ledgers_is_told_in_one_line(
    line: CommandLine, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pointed_at(monkeypatch, empty_database)
    execute(empty_database.owner_dsn, "create schema vault", "create schema ledger")
    for words in (("migrate", "--yes"), ("init",)):
        typed = line(*words)
        assert typed.exit_code == 1, typed
        assert len(typed.err.splitlines()) == 1
        assert "own database" in typed.err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def answered(monkeypatch: pytest.MonkeyPatch, answer: str, *words: str) -> int:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    return run(words)
