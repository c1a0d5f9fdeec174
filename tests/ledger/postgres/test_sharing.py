"""Programs share one server: the first one starts it, the last one out stops it."""

import os
import select
import time
from pathlib import Path

import pytest
from embedded_homes import Program, answers, ask, eventually, is_deserted, postmaster_of, warden_of

from ledger.postgres import EmbeddedPostgres, PostgresUnavailable


def test_the_first_program_starts_a_server_and_the_last_one_leaves_nothing_behind(home: Path) -> None:
    with EmbeddedPostgres(home).join() as server:
        assert answers(server.superuser_dsn)
        assert int(server.version.split(".")[0]) >= 15
    assert is_deserted(home)
    assert not (home / "postgres" / "server.json").exists()


def test_what_was_recorded_is_there_at_the_next_start(home: Path) -> None:
    with EmbeddedPostgres(home).join() as server:
        ask(server.superuser_dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    with EmbeddedPostgres(home).join() as server:
        assert ask(server.superuser_dsn, "SELECT answer FROM kept") == "42"


def test_a_second_start_takes_a_moment_only(home: Path) -> None:
    EmbeddedPostgres(home).join().close()
    begin = time.monotonic()
    with EmbeddedPostgres(home).join():
        assert time.monotonic() - begin < 2  # 0.15 s on an idle machine


def test_the_starter_may_leave_first(home: Path) -> None:
    starter = Program(home)
    starter.dsn()
    with EmbeddedPostgres(home).join() as server:
        running = postmaster_of(home)
        assert starter.end() == ""
        assert answers(server.superuser_dsn)
        assert postmaster_of(home) == running
    assert is_deserted(home)


def test_one_program_may_hold_several_shares(home: Path) -> None:
    first, second = EmbeddedPostgres(home).join(), EmbeddedPostgres(home).join()
    assert first.superuser_dsn == second.superuser_dsn
    first.close()
    first.close()
    assert answers(second.superuser_dsn)
    second.close()
    assert is_deserted(home)


def test_programs_that_come_at_once_get_one_server(home: Path) -> None:
    programs = [Program(home) for _ in range(5)]
    assert len({program.dsn() for program in programs}) == 1
    wardens = {warden_of(home)}
    assert [program.end() for program in programs] == [""] * 5
    assert len(wardens) == 1
    assert is_deserted(home)


@pytest.mark.slow
def test_a_program_that_comes_while_the_server_stops_gets_one_all_the_same(home: Path) -> None:
    last = Program(home)
    last.dsn()
    for _ in range(10):
        arriving = Program(home)
        last.kill()
        assert answers(arriving.dsn())
        last = arriving
    last.end()
    assert eventually(lambda: is_deserted(home))


def test_who_reads_a_pipe_of_the_starter_to_its_end_need_not_wait_for_the_server(home: Path) -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)  # noqa: FBT003 - the function takes it so
    with EmbeddedPostgres(home).join() as server:
        os.close(writing)
        assert select.select([reading], [], [], 10)[0] == [reading]
        assert os.read(reading, 1) == b""
        assert answers(server.superuser_dsn)
    os.close(reading)


def test_a_server_in_use_is_not_removed(home: Path) -> None:
    embedded = EmbeddedPostgres(home)
    with embedded.join() as server:
        with pytest.raises(PostgresUnavailable, match="is in use"):
            embedded.remove()
        assert answers(server.superuser_dsn)
    embedded.remove()
    assert not (home / "postgres").exists()
