"""Whatever ends, and however: no Postgres is left behind, and the next start works."""

import os
import signal
import time
from pathlib import Path

import pytest
from embedded_homes import (
    Program,
    answers,
    ask,
    eventually,
    is_deserted,
    postmaster_of,
    processes_of,
    warden_of,
)

from ledger.postgres import EmbeddedPostgres


def test_ctrl_c_ends_all_of_it_before_the_program_is_gone(home: Path) -> None:
    program = Program(home)
    program.dsn()
    assert program.press_ctrl_c() == 130
    assert is_deserted(home)


@pytest.mark.parametrize("after_seconds", [0.0, 0.02, 0.05, 0.1, 0.2, 0.4])
def test_ctrl_c_while_it_starts_leaves_nothing_behind(home: Path, after_seconds: float) -> None:
    program = Program(home)
    assert eventually((home / "postgres" / "start.lock").exists)
    time.sleep(after_seconds)
    program.press_ctrl_c()
    assert is_deserted(home), processes_of(home)
    with EmbeddedPostgres(home).join() as server:
        assert answers(server.superuser_dsn)


def test_a_killed_program_leaves_no_postgres_behind(home: Path) -> None:
    program = Program(home)
    program.dsn()
    program.kill()
    assert eventually(lambda: is_deserted(home), within_seconds=5)


@pytest.mark.parametrize("after_seconds", [0.0, 0.05, 0.1, 0.2, 0.4])
def test_a_program_killed_while_it_starts_leaves_no_postgres_behind(home: Path, after_seconds: float) -> None:
    program = Program(home)
    assert eventually((home / "postgres" / "start.lock").exists)
    time.sleep(after_seconds)
    program.kill()
    assert eventually(lambda: is_deserted(home), within_seconds=10)
    with EmbeddedPostgres(home).join() as server:
        assert answers(server.superuser_dsn)


def test_a_killed_warden_takes_postgres_with_it(home: Path) -> None:
    with EmbeddedPostgres(home).join() as server:
        os.kill(warden_of(home), signal.SIGKILL)
        assert eventually(lambda: not answers(server.superuser_dsn))
        with EmbeddedPostgres(home).join() as again:
            assert answers(again.superuser_dsn)
    assert is_deserted(home)


@pytest.mark.slow
def test_a_warden_killed_while_it_makes_the_data_does_no_harm(home: Path) -> None:
    program = Program(home)
    fresh = home / "postgres" / "data.new"
    assert eventually(fresh.exists)
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        said = line.read_bytes() if line.exists() else b""
        if b"ledger.postgres.supervisor" in said and os.fsencode(home) in said:
            os.kill(int(line.parent.name), signal.SIGKILL)
    assert "ended early" in program.end()
    with EmbeddedPostgres(home).join() as server:
        assert answers(server.superuser_dsn)
    assert not fresh.exists()


def test_a_killed_postgres_is_started_again_and_kept_what_it_acknowledged(home: Path) -> None:
    with EmbeddedPostgres(home).join() as server:
        ask(server.superuser_dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
        former = postmaster_of(home)
        os.kill(former, signal.SIGKILL)
        assert eventually(lambda: postmaster_of(home) != former and answers(server.superuser_dsn))
        assert ask(server.superuser_dsn, "SELECT answer FROM kept") == "42"
    assert is_deserted(home)


def test_a_warden_that_is_told_to_stop_stops_postgres_in_order(home: Path) -> None:
    program = Program(home)
    program.dsn()
    os.kill(warden_of(home), signal.SIGTERM)
    assert eventually(lambda: is_deserted(home))
    assert "database system is shut down" in (home / "postgres" / "server.log").read_text()
    program.end()


@pytest.mark.slow
def test_a_pid_file_whose_number_somebody_else_has_by_now_is_no_obstacle(home: Path) -> None:
    EmbeddedPostgres(home).join().close()
    left = home / "postgres" / "data" / "postmaster.pid"
    left.write_text(f"{os.getpid()}\n{left.parent}\n1\n5432\n\n\n\nready\n")
    with EmbeddedPostgres(home).join() as server:
        assert answers(server.superuser_dsn)
