"""A database that says nothing, hanging up on nobody: all go on by themselves, `up` can be ended."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer

import psutil
import psycopg2
import pytest

from fixtures.database import Database
from fixtures.desk import contract
from fixtures.program import Program, ended_by, environment_for, readiness, settings_of, wait_until_ready
from fixtures.silent_proxy import SilentProxy, led_through, silent_proxy
from ledger.config import Settings
from ledger.running_file import running_up
from ledger.store.pool import Limits, Pool, connect

WITHIN_SECONDS = 60.0
END_SECONDS = 15.0


def wait_for(condition: Callable[[], object], seconds: float = WITHIN_SECONDS) -> None:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds
        time.sleep(0.2)


@pytest.fixture
def proxy(database: Database) -> Iterator[SilentProxy]:
    with silent_proxy(database.superuser_dsn) as proxy:
        yield proxy


class Silenced:
    """`up` on a database behind a proxy that may fall silent, and whoever reaches the database directly."""

    def __init__(self, database: Database, proxy: SilentProxy, home: Path) -> None:
        dsns = {f"COVERLEDGER_{name.upper()}": dsn for name, dsn in settings_of(database).items()}
        through = {name: led_through(proxy, dsn) for name, dsn in dsns.items()}
        self.direct = Program(environment_for(home, **dsns))
        self.program = Program(environment_for(home, **through))
        self.running = self.program.up()
        found = running_up(Settings.load(home=home), "cyber-care")
        assert found is not None
        self.address = found.local

    def record(self, number: str) -> None:
        ended = self.direct.run("submit", "StartContract", json.dumps(contract(number)))
        assert ended.returncode == 0, ended.stderr

    def is_wholly_well(self) -> bool:
        found = readiness(self.address)
        states = {"starting", "running", "idle"}
        return bool(found["ready"]) and all(one["state"] in states for one in found["services"].values())


@pytest.fixture
def silenced(database: Database, proxy: SilentProxy, tmp_path: Path) -> Iterator[Silenced]:
    silenced = Silenced(database, proxy, tmp_path / "home")
    yield silenced
    if silenced.running.poll() is None:
        silenced.running.kill()
    silenced.running.communicate()


@pytest.mark.test_all
def test_fault_5_connections_that_never_speak_again_are_left_and_all_goes_on_within_a_minute(
    silenced: Silenced, proxy: SilentProxy
) -> None:
    wait_until_ready(silenced.address)
    proxy.fall_silent()
    wait_for(lambda: readiness(silenced.address)["ready"] is False, 20.0)
    assert readiness(silenced.address)["database"] in {"slow", "away"}
    silenced.record("CC-1")
    proxy.speak()
    # Those that were open then stay silent for ever; whatever they wait for is given up and asked anew.
    wait_for(silenced.is_wholly_well)
    wait_for(lambda: not any(view["lag"] for view in silenced.direct.rows("projections", "list")))
    assert [row["contract"] for row in silenced.direct.rows("contract", "list")] == ["CC-1"]
    code, said = ended_by(silenced.running, signal.SIGTERM)
    assert (code, "Traceback" in said) == (0, False), said


@pytest.mark.test_all
def test_fault_5_up_ends_within_15_seconds_of_sigterm_while_its_database_is_silent(
    silenced: Silenced, proxy: SilentProxy
) -> None:
    wait_until_ready(silenced.address)
    proxy.fall_silent()
    wait_for(lambda: readiness(silenced.address)["ready"] is False, 20.0)
    assert_ends_in_time(silenced.running)


@pytest.mark.test_all
def test_fault_5_up_ends_within_15_seconds_also_while_it_is_still_getting_ready(
    database: Database, proxy: SilentProxy, tmp_path: Path
) -> None:
    through = {
        f"COVERLEDGER_{name.upper()}": led_through(proxy, dsn) + " connect_timeout=300"
        for name, dsn in settings_of(database).items()
    }
    proxy.fall_silent()
    running = Program(environment_for(tmp_path / "home", **through)).start("up")
    time.sleep(4.0)  # it waits for the database, in a library that hears no signal
    assert_ends_in_time(running)


@pytest.mark.test_all
def test_fault_5_up_ends_within_15_seconds_while_its_own_postgres_is_frozen(stack: ExitStack) -> None:
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="coverledger-home-")))
    folder.chmod(0o711)
    home = folder / "home"
    program = Program(environment_for(home))
    stack.callback(program.kill_what_runs)
    running = program.up()
    found = running_up(Settings.load(home=home), "cyber-care")
    assert found is not None
    wait_until_ready(found.local)
    frozen = [
        one
        for one in psutil.process_iter(["name", "cmdline"])
        if one.info["name"] == "postgres" and str(home) in " ".join(one.info["cmdline"] or ())
    ]
    frozen += [child for one in frozen for child in one.children(recursive=True)]
    assert frozen
    for one in frozen:
        one.suspend()
    try:
        wait_for(lambda: readiness(found.local)["ready"] is False, 20.0)
        assert_ends_in_time(running)
    finally:
        for one in frozen:
            if one.is_running():
                one.resume()
    # Its warden stops it, as after any end.
    wait_for(lambda: not any(one.is_running() for one in frozen))


def assert_ends_in_time(running: "subprocess.Popen[str]") -> None:
    begun = time.monotonic()
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=WITHIN_SECONDS)
    assert time.monotonic() - begun < END_SECONDS + 1.0


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_fault_5_a_statement_that_gets_no_answer_is_given_up_and_the_pool_goes_on(
    database: Database, proxy: SilentProxy
) -> None:
    limits = Limits(statement=1.0, lock=1.0, idle=1.0)
    with Pool(led_through(proxy, database.app_dsn), limits=limits) as pool:
        with pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute("select 1")
            proxy.fall_silent()
            begun = time.monotonic()
            with pytest.raises(psycopg2.OperationalError):
                cursor.execute("select 2")
            assert time.monotonic() - begun < 10.0
        proxy.speak()
        with pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute("select 3")
            assert cursor.fetchall() == [(3,)]


def test_fault_5_a_commit_that_gets_no_answer_is_given_up_too_and_its_locks_with_it(
    database: Database, proxy: SilentProxy
) -> None:
    limits = Limits(statement=2.0, lock=20.0, idle=1.0)

    def lock(pool: Pool, then: Callable[[], None] = lambda: None) -> None:
        with pool.transaction() as connection, connection.cursor() as cursor:
            cursor.execute("lock table ledger.pending in exclusive mode")
            then()

    with Pool(led_through(proxy, database.superuser_dsn), limits=limits) as pool:
        with pytest.raises(psycopg2.Error):
            lock(pool, proxy.fall_silent)
        # The server lets go of what a program holds that is gone without a word.
        with Pool(database.superuser_dsn, limits=limits) as other:
            lock(other)


def test_fault_5_whoever_connects_says_how_soon_a_peer_that_is_gone_is_noticed_unless_the_dsn_does(
    database: Database,
) -> None:
    for more, expected in (
        ("", ("10", "25000")),
        (" connect_timeout=3 tcp_user_timeout=4000", ("3", "4000")),
    ):
        connection = connect(database.app_dsn + more, name="test")
        parameters = connection.info.dsn_parameters
        connection.close()
        assert (parameters["connect_timeout"], parameters["tcp_user_timeout"]) == expected
        assert parameters["keepalives_idle"] == "10"
    assert os.environ.get("PGCONNECT_TIMEOUT") is None


def test_a_pool_in_a_hurry_gives_up_what_is_under_way(database: Database) -> None:
    with Pool(database.app_dsn) as pool, pool.connection() as connection, connection.cursor() as cursor:
        Timer(0.3, pool.hurry, (0.2,)).start()
        begun = time.monotonic()
        with pytest.raises(psycopg2.OperationalError):
            cursor.execute("select pg_sleep(60)")
        assert time.monotonic() - begun < 10.0
