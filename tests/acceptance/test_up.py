"""`up`, and a home that nobody has prepared: the real program on the embedded Postgres."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from fixtures.desk import contract
from fixtures.program import Program, ended_by, environment_for


@pytest.fixture
def home() -> Iterator[Path]:
    # Not below pytest's own folder: as root, Postgres runs as another user, who may not pass through it.
    with TemporaryDirectory(prefix="coverledger-home-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "home"


@pytest.fixture
def fresh(home: Path) -> Program:
    return Program(environment_for(home))


def postgres_of(home: Path) -> list[int]:
    """Process ids of every program whose command line names the home."""
    return [
        found.pid
        for found in psutil.process_iter(["cmdline"])
        if any(str(home) in word for word in found.info["cmdline"] or ())
    ]


def gone_within(home: Path, seconds: float) -> bool:
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        if not postgres_of(home):
            return True
        time.sleep(0.05)
    return False


def start_contract(program: Program, number: str) -> int:
    return program.run("submit", "StartContract", json.dumps(contract(number))).returncode


def test_init_in_a_new_home_makes_a_real_ledger_and_leaves_no_process(fresh: Program, home: Path) -> None:
    assert fresh.run("init").returncode == 0
    assert start_contract(fresh, "CC-1") == 0
    assert [row["contract"] for row in fresh.rows("contract", "list")] == ["CC-1"]

    assert stat.S_IMODE((home / "secrets" / "master.key").stat().st_mode) == 0o600
    assert gone_within(home, 5)
    doctor = fresh.run("doctor", "--json")
    assert (doctor.returncode, json.loads(doctor.stdout)["healthy"]) == (0, True)


@pytest.mark.slow
def test_a_lost_master_key_is_named_and_never_made_anew(fresh: Program, home: Path) -> None:
    assert fresh.run("init").returncode == 0
    start_contract(fresh, "CC-1")
    (home / "secrets" / "master.key").rename(home / "kept")
    lost = fresh.run("contract", "list")
    submitted = start_contract(fresh, "CC-2")

    assert submitted == 1
    assert not (home / "secrets" / "master.key").exists()
    assert "Traceback" not in lost.stderr
    (home / "kept").rename(home / "secrets" / "master.key")
    assert start_contract(fresh, "CC-2") == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_serves_beside_other_commands_and_ends_cleanly_within_seconds(
    fresh: Program, home: Path, number: int
) -> None:
    running = fresh.up()
    assert start_contract(fresh, "CC-1") == 0
    assert [row["contract"] for row in fresh.rows("contract", "list")] == ["CC-1"]

    begun = time.monotonic()
    code, said = ended_by(running, number)
    assert time.monotonic() - begun < 5
    assert (code, "service_waits" in said, "Traceback" in said) == (0, False, False)
    assert gone_within(home, 5)


@pytest.mark.parametrize("after_seconds", [0.0, 0.3, 0.9])
def test_ctrl_c_while_up_is_still_getting_ready_ends_it_cleanly_too(
    fresh: Program, home: Path, after_seconds: float
) -> None:
    running = fresh.start("up", "--demo")
    while not home.exists():
        time.sleep(0.01)
    time.sleep(after_seconds)
    code, said = ended_by(running)

    assert (code, "Traceback" in said) == (0, False)
    assert gone_within(home, 10)


@pytest.mark.slow
def test_up_killed_without_warning_leaves_no_postgres_behind(fresh: Program, home: Path) -> None:
    running = fresh.up()
    running.kill()
    running.communicate()

    assert gone_within(home, 10)
    assert start_contract(fresh, "CC-1") == 0


@pytest.mark.slow
def test_the_demo_is_a_simulated_book_that_stands_at_march_2026_and_is_loaded_once(
    fresh: Program, home: Path
) -> None:
    first = fresh.up("--demo")
    assert len(fresh.rows("contract", "list")) == 120
    assert ended_by(first)[0] == 0

    begun = time.monotonic()
    second = fresh.up("--demo")
    assert time.monotonic() - begun < 10
    assert len(fresh.rows("contract", "list")) == 120
    doctor = json.loads(fresh.run("doctor", "--json").stdout)
    assert ended_by(second)[0] == 0
    assert any(
        "simulated" in f["message"] and "2026-02-28T23:00:00" in f["message"] for f in doctor["checks"]
    )
    assert home.exists()


@pytest.mark.slow
def test_a_real_ledger_refuses_the_demo_with_one_clear_line(fresh: Program) -> None:
    fresh.run("init")
    refused = fresh.run("up", "--demo")

    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert "is real" in refused.stderr


@pytest.mark.slow
def test_a_server_that_is_away_is_said_in_one_line_with_exit_3(tmp_path: Path) -> None:
    away = Program(
        environment_for(tmp_path, COVERLEDGER_DSN="postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    )
    for words in (("contract", "list"), ("submit", "WithdrawClaim", '{"claim": "K"}'), ("up",)):
        ended = away.run(*words)
        assert (ended.returncode, len(ended.stderr.splitlines())) == (3, 1), ended.stderr
        assert ended.stdout == ""


def test_doctor_tells_the_settings_even_when_no_server_is_reached(tmp_path: Path) -> None:
    away = Program(
        environment_for(tmp_path, COVERLEDGER_DSN="postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    )
    ended = away.run("doctor", "--json")

    assert (ended.returncode, len(ended.stderr.splitlines())) == (3, 1), ended.stderr
    told = json.loads(ended.stdout)
    assert {"COVERLEDGER_DSN", "COVERLEDGER_HOME"} <= {setting["variable"] for setting in told["settings"]}
    assert [(check["check"], check["state"]) for check in told["checks"]] == [
        ("server", "wrong"),
        ("services", "hint"),
    ]
    assert told["healthy"] is False


def test_help_waits_for_nothing_that_it_does_not_need(fresh: Program) -> None:
    heavy = "{'pydantic', 'psycopg2', 'eventsourcing', 'fastapi', 'apscheduler', 'rich'}"
    script = (
        "import sys; from coverledger.__main__ import run; run(['--help']); "
        f"print({heavy} & set(sys.modules))"
    )
    helped = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, env=fresh.environment
    )

    assert "import" in helped.stdout
    assert helped.stdout.splitlines()[-1] == "set()"


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_error(fresh: Program) -> None:
    assert fresh.run("init").returncode == 0
    start_contract(fresh, "CC-1")
    reading, writing = os.pipe()
    os.close(reading)
    ended = fresh.start("events", "--since", "-1", "--json")
    assert ended.stdout is not None
    ended.stdout.close()
    os.close(writing)
    assert ended.stderr is not None
    assert "Traceback" not in ended.stderr.read()
    ended.wait()
    ended.stderr.close()
