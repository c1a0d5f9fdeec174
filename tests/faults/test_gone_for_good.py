"""What `up` stands on is gone for good: it ends, says why in one line, and by its exit code."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from fixtures.database import Database
from fixtures.program import Program, environment_for, settings_of
from ledger.postgres.paths import RESTARTS

WITHIN_SECONDS = 60.0

pytestmark = pytest.mark.test_all


@pytest.fixture
def home() -> Iterator[Path]:
    # Not below pytest's own folder: as root, Postgres runs as another user, who may not pass through it.
    with TemporaryDirectory(prefix="coverledger-home-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "home"


def postmaster_of(home: Path) -> psutil.Process | None:
    for one in psutil.process_iter(["name", "cmdline"]):
        if one.info["name"] == "postgres" and str(home) in " ".join(one.info["cmdline"] or ()):
            return one
    return None


def said_in_one_line(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith("Error: ")]


def test_fault_9_a_postgres_that_ends_again_and_again_ends_up_with_the_limit_in_one_line(home: Path) -> None:
    program = Program(environment_for(home))
    running = program.up()
    kills, begun = 0, time.monotonic()
    while running.poll() is None and time.monotonic() - begun < 3 * WITHIN_SECONDS:
        found = postmaster_of(home)
        if found is not None:
            os.kill(found.pid, signal.SIGKILL)
            kills += 1
        time.sleep(0.5)
    _, said = running.communicate(timeout=WITHIN_SECONDS)
    [line] = said_in_one_line(said)
    assert running.returncode == 3, said
    assert f"more than {RESTARTS} times in a row" in line
    assert kills > RESTARTS // 2  # a start that fails by itself, after a kill, counts as well
    assert "Traceback" not in said
    assert program.run("contract", "list").returncode == 0  # it is all there


def test_fault_9_a_home_that_is_deleted_under_it_ends_up(home: Path) -> None:
    program = Program(environment_for(home))
    running = program.up()
    shutil.rmtree(home, ignore_errors=True)
    _, said = running.communicate(timeout=WITHIN_SECONDS)
    [line] = said_in_one_line(said)
    assert running.returncode == 3, said
    assert "is gone" in line
    assert str(home) in line
    assert "Traceback" not in said
    begun = time.monotonic()
    while postmaster_of(home) is not None:
        assert time.monotonic() - begun < WITHIN_SECONDS
        time.sleep(0.2)


def test_fault_9_a_home_that_is_deleted_beside_a_database_elsewhere_ends_up_too(
    home: Path, database: Database
) -> None:
    given = {f"COVERLEDGER_{name.upper()}": dsn for name, dsn in settings_of(database).items()}
    running = Program(environment_for(home, **given)).up()
    shutil.rmtree(home)
    _, said = running.communicate(timeout=WITHIN_SECONDS)
    [line] = said_in_one_line(said)
    assert (running.returncode, "is gone" in line, "Traceback" in said) == (3, True, False), said


def test_fault_9_a_postgres_that_ends_now_and_then_is_started_again_and_all_goes_on(home: Path) -> None:
    program = Program(environment_for(home))
    running = program.up()
    for _ in range(3):
        found = postmaster_of(home)
        assert found is not None
        os.kill(found.pid, signal.SIGKILL)
        begun = time.monotonic()
        while postmaster_of(home) in {None, found}:
            assert time.monotonic() - begun < WITHIN_SECONDS
            time.sleep(0.1)
    assert program.run("contract", "list").returncode == 0
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=WITHIN_SECONDS)
    assert (running.returncode, "Traceback" in said) == (0, False), said
