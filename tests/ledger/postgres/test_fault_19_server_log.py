"""The server's log tells nothing of anybody: no statement, key or refused row, after a whole day of use."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from fixtures.database import Database, execute
from fixtures.program import CommandLine
from frozen.running import environment, typed
from ledger.postgres import EmbeddedPostgres, blot_out_log
from ledger.postgres.cluster import known_data
from ledger.postgres.paths import HomePaths

CANARIES = (
    "Canary Zeisig",
    "canary@example.org",
    "Kanarienweg 7",
    "canary-reason",
    "P-CANARY",
    "canary-command",
)
A_KEY = re.compile(r"\\x[0-9a-f]{20}")
TOLD = ("STATEMENT:", "DETAIL:", "CONTEXT:", "QUERY:", "ERROR:", "password authentication failed")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home of its own with an embedded Postgres, its settings in force."""
    home = tmp_path / "home"
    with environment({"home": str(home)}):
        yield home


def log_of(home: Path) -> str:
    return (home / "postgres" / "server.log").read_text()


def does(*words: str, code: int = 0) -> str:
    ended = typed(*words)
    assert ended.code == code, (words, ended)
    return ended.out


@pytest.mark.test_all  # a server of its own, a day long
def test_fault_19_a_day_of_use_leaves_nothing_in_the_servers_log(home: Path, tmp_path: Path) -> None:
    with EmbeddedPostgres(home).join() as server:
        does("init")
        person = (
            "--person",
            "P-CANARY",
            "--name",
            CANARIES[0],
            "--email",
            CANARIES[1],
            "--address",
            CANARIES[2],
        )
        does(
            "contract",
            "start",
            "CC-1",
            "--starts-on",
            "2026-06-01",
            "--at",
            "2026-06-01T09:00:00+02:00",
            *person,
            "--id",
            "canary-command-1",
        )
        does(
            "contract",
            "start",
            "CC-1",
            "--starts-on",
            "2026-06-01",
            "--at",
            "2026-06-01T09:00:00+02:00",
            *person,
            "--id",
            "canary-command-2",
            code=1,
        )
        does("contract", "show", "CC-1", "--names", "--reason", "canary-reason")
        does("person", "find", "Zeisig", "--reason", "canary-reason")
        does("letters", "prepare")
        does("deadlines", "sweep")
        does("verify", "--views")
        does("keys", "rotate")
        does("backup", str(tmp_path / "data.dump"), "--vault", str(tmp_path / "vault.dump"))
        does("restore", str(tmp_path / "data.dump"), "--vault", str(tmp_path / "vault.dump"), "--yes")
        ordinary = log_of(home)
        assert [word for word in TOLD if word in ordinary] == []

        # And where something goes wrong: a row refused, a statement that is none, one that is cut.
        for wrong in (
            "insert into ledger.tokens select * from ledger.books where book = 'Canary Zeisig'",
            (
                "insert into vault.subjects (book, person, key_id, wrapped) values ('b', 'P-CANARY', "
                "gen_random_uuid(), '\\x6c0bfb3142854a83889b6ab73452b7de')"
            ),
            "delete from ledger.events /* Canary Zeisig */",
            "set statement_timeout = 1; select pg_sleep(1) /* Canary Zeisig */",
        ):
            with pytest.raises(psycopg2.Error):
                execute(server.dsn("postgres", "claims_ledger"), wrong)
        does("subject", "erase", "P-CANARY", "--reason", "canary-reason")
    log = log_of(home)
    assert "ERROR:" in log
    assert [canary for canary in CANARIES if canary in log] == []
    assert A_KEY.search(log) is None


@pytest.mark.test_all  # a server of its own
def test_fault_19_settings_of_the_operators_own_do_not_make_it_talk(home: Path) -> None:
    with EmbeddedPostgres(home).join():
        does("init")
    data = known_data(HomePaths(home))
    assert data is not None
    conf = data / "postgresql.conf"
    with conf.open("a") as opened:
        opened.write("log_statement = all\nlog_min_duration_statement = 0\nlog_error_verbosity = verbose\n")
    with EmbeddedPostgres(home).join():
        does(
            "contract",
            "start",
            "CC-1",
            "--starts-on",
            "2026-06-01",
            "--at",
            "2026-06-01T09:00:00+02:00",
            "--person",
            "P-CANARY",
            "--name",
            CANARIES[0],
            "--id",
            "canary-command-1",
        )
    log = log_of(home)
    assert [canary for canary in CANARIES if canary in log] == []
    assert A_KEY.search(log) is None


OLD = """2026-11-30 18:02:30.362 UTC [12353] ERROR:  prepared statement "ledger_load" does not exist
2026-11-30 18:02:30.362 UTC [12353] STATEMENT:  execute l ('canary-command', '\\x6c0bfb3142854a83889b6a')
2026-11-30 18:02:31.000 UTC [12353] ERROR:  duplicate key value violates unique constraint "subjects_pkey"
2026-11-30 18:02:31.000 UTC [12353] DETAIL:  Key (book, person)=(cyber-care, P-CANARY) already exists.
2026-11-30 18:02:31.000 UTC [12353] CONTEXT:  PL/pgSQL function ledger.demand(boolean) line 4
\tSQL statement "select 'Canary Zeisig'"
2026-11-30 18:02:31.000 UTC [12353] STATEMENT:  select 1
\t  from vault.subjects
\twhere person = 'P-CANARY'
2026-11-30 18:02:32.000 UTC [12353] LOG:  duration: 12.100 ms  statement: select 'Canary Zeisig'
2026-11-30 18:02:32.000 UTC [12353] LOG:  statement: select 'Canary Zeisig'
2026-11-30 18:02:33.000 UTC [12337] LOG:  database system is ready to accept connections
"""


def test_fault_19_what_older_versions_let_it_write_is_blotted_out_where_it_stands(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    folder.mkdir()
    (folder / "server.log.1").write_text(OLD)
    with (folder / "server.log").open("a") as writing:  # as the server does, all the while
        writing.write(OLD)
        writing.flush()
        assert blot_out_log(tmp_path) == 2 * 6
        writing.write("2026-11-30 18:03:00.000 UTC [1] LOG:  goes on\n")
    for name, more in (("server.log", 1), ("server.log.1", 0)):
        text = (folder / name).read_text()
        assert [canary for canary in CANARIES if canary in text] == []
        assert A_KEY.search(text) is None
        assert len(text.splitlines()) == len(OLD.splitlines()) + more
        assert "database system is ready" in text
        assert 'prepared statement "ledger_load" does not exist' in text
    assert "goes on" in (folder / "server.log").read_text()
    assert blot_out_log(tmp_path) == 0
    assert blot_out_log(tmp_path / "nowhere") == 0


@pytest.mark.test_all  # servers of its own
def test_fault_19_an_upgrade_and_an_erasure_clean_the_old_log(home: Path) -> None:
    with EmbeddedPostgres(home).join():
        does("init")
        does(
            "contract",
            "start",
            "CC-1",
            "--starts-on",
            "2026-06-01",
            "--at",
            "2026-06-01T09:00:00+02:00",
            "--person",
            "P-1",
            "--name",
            "Ada Peeters",
        )
    log = home / "postgres" / "server.log"
    log.write_text(OLD)  # as the version of before left it
    with EmbeddedPostgres(home).join():
        assert [canary for canary in CANARIES if canary in log.read_text()] == []
        with log.open("a") as opened:
            opened.write(OLD)
        does("subject", "erase", "P-1", "--reason", "asked for it")
        assert [canary for canary in CANARIES if canary in log.read_text()] == []


def test_fault_19_doctor_says_when_an_external_server_writes_what_it_is_told(
    command_line: CommandLine, database: Database
) -> None:
    login = database.app_dsn.partition("user=")[2].split()[0]
    command_line("init")
    quiet = ("log_min_error_statement = panic", "log_error_verbosity = terse")
    try:
        execute(
            database.superuser_dsn,
            *(f"alter role {login} in database {database.name} set {one}" for one in quiet),
        )
        assert state(command_line) == "well"
        execute(
            database.superuser_dsn,
            f"alter role {login} in database {database.name} set log_statement = 'mod'",
        )
        assert state(command_line) == "hint"
    finally:
        execute(database.superuser_dsn, f"alter role {login} in database {database.name} reset all")


def state(command_line: CommandLine) -> str:
    checks = json.loads(command_line("doctor", "--json").out)["checks"]
    return str(next(one["state"] for one in checks if one["check"] == "server log"))
