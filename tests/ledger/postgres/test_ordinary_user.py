"""All of it holds for a user who is not root."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from embedded_homes import (
    AS_ROOT,
    Program,
    answers,
    ask,
    eventually,
    is_deserted,
    postmaster_of,
    unprivileged,
)

from ledger.postgres import EmbeddedPostgres


@pytest.fixture
def own_home(home: Path) -> Iterator[Path]:
    """A home inside a folder that belongs to the ordinary user."""
    uid, gid, _ = unprivileged()
    home.mkdir()
    os.chown(home, uid, gid)
    yield home / "own"
    assert eventually(lambda: is_deserted(home / "own"))


def test_an_ordinary_user_starts_and_stops_a_server_of_its_own(own_home: Path) -> None:
    program = Program(own_home, ordinary=True)
    assert answers(program.dsn())
    uid = unprivileged()[0]
    assert f"Uid:\t{uid}\t" in Path(f"/proc/{postmaster_of(own_home)}/status").read_text()
    assert program.end() == ""
    assert is_deserted(own_home)


def test_ctrl_c_of_an_ordinary_user_leaves_nothing_behind(own_home: Path) -> None:
    program = Program(own_home, ordinary=True)
    program.dsn()
    assert program.press_ctrl_c() == 130
    assert is_deserted(own_home)


def test_a_killed_program_of_an_ordinary_user_leaves_nothing_behind(own_home: Path) -> None:
    program = Program(own_home, ordinary=True)
    program.dsn()
    program.kill()
    assert eventually(lambda: is_deserted(own_home), within_seconds=5)


@pytest.mark.skipif(not AS_ROOT, reason="only root may use the home of somebody else")
def test_root_runs_the_server_of_an_ordinary_users_home_as_that_user(own_home: Path) -> None:
    first = Program(own_home, ordinary=True)
    first.dsn()
    first.end()
    with EmbeddedPostgres(own_home).join() as server:
        assert f"Uid:\t{unprivileged()[0]}\t" in Path(f"/proc/{postmaster_of(own_home)}/status").read_text()
        ask(server.superuser_dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    second = Program(own_home, ordinary=True)
    assert ask(second.dsn(), "SELECT answer FROM kept") == "42"
    second.end()


@pytest.mark.skipif(not AS_ROOT, reason="needs two users")
def test_an_ordinary_user_is_told_that_a_home_is_somebody_elses(home: Path) -> None:
    EmbeddedPostgres(home).join().close()
    program = Program(home, ordinary=True)
    said = program.end()
    assert "set COVERLEDGER_HOME to a folder of your own" in said
    assert said.count("\n") == 1
    assert program.exit_status == 3


def test_a_wrong_password_is_refused_even_on_the_socket(own_home: Path) -> None:
    program = Program(own_home, ordinary=True)
    right = program.dsn()
    password = right.split(":")[2].split("@")[0]
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(right.replace(password, "wrong"))
    program.end()


def test_the_short_place_of_a_socket_is_the_users_own_runtime_folder(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if AS_ROOT:
        pytest.skip("root hands Postgres to another user, who has no such folder")
    with tempfile.TemporaryDirectory() as runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        with EmbeddedPostgres(home / ("d" * 90)).join() as server:
            assert server.socket_folder.parent == Path(runtime)
