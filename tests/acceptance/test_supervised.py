"""The services of a real `up` go on by themselves, and what does not is said where people look."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from fixtures.database import Database, execute
from fixtures.desk import contract
from fixtures.program import Program, ended_by, readiness, wait_until_ready
from ledger.config import Settings
from ledger.running_file import running_up

WITHIN_SECONDS = 60.0
SERVICES = {
    *("sealer", "http", "companion", "views", "rebuilding", "diary", "clockwork", "post", "digest"),
    *("heads", "cancellation", "figures", "subscriptions", "operator"),
}


def wait_for(condition: Callable[[], bool], seconds: float = WITHIN_SECONDS) -> None:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds
        time.sleep(0.1)


def address_of(program: Program) -> str:
    """Where `up` serves, as other programs of its home find out."""
    found = running_up(Settings.load(home=Path(program.environment["COVERLEDGER_HOME"])), "cyber-care")
    assert found is not None
    return found.local


def states_of(address: str) -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = readiness(address)["services"]
    return services


def well(state: dict[str, Any]) -> bool:
    return state["state"] in {"starting", "running", "idle"}


@pytest.fixture
def running(program: Program) -> Iterator["subprocess.Popen[str]"]:
    running = program.up()
    wait_until_ready(address_of(program))
    yield running
    if running.poll() is None:
        running.kill()
    running.communicate()


@pytest.mark.test_all
def test_fault_4_a_database_that_restarts_under_all_ends_no_service(
    program: Program, database: Database, running: "subprocess.Popen[str]"
) -> None:
    address = address_of(program)
    for _ in range(5):
        execute(
            database.superuser_dsn,
            "select pg_terminate_backend(pid) from pg_stat_activity"
            f" where datname = '{database.name}' and pid <> pg_backend_pid()",
        )
        time.sleep(0.3)  # so that another round of each service is under way
    program.run("submit", "StartContract", json.dumps(contract("CC-1")))
    wait_for(lambda: readiness(address)["ready"])
    wait_for(lambda: all(well(state) for state in states_of(address).values()))
    assert states_of(address).keys() == SERVICES
    assert sum(state["restarts"] for state in states_of(address).values()) > 0
    wait_for(lambda: program.rows("contract", "list") != [])
    wait_for(lambda: not any(view["lag"] for view in program.rows("projections", "list")))
    code, said = ended_by(running, signal.SIGTERM)
    assert (code, "Traceback" in said) == (0, False)


@pytest.mark.test_all
def test_fault_8_what_stopped_shows_in_readiness_doctor_and_metrics(
    program: Program, running: "subprocess.Popen[str]"
) -> None:
    address = address_of(program)
    token = program.run("token", "create", "--role", "monitor", "--name", "probe").stdout.strip()
    [companion] = [
        child for child in psutil.Process(running.pid).children() if "coverledger.worker" in child.cmdline()
    ]
    companion.suspend()  # frozen: it neither ends nor says anything
    wait_for(lambda: states_of(address)["views"]["state"] == "stuck")

    found = httpx.get(f"{address}/readyz", timeout=20)
    assert (found.status_code, found.json()["ready"]) == (503, False)
    assert found.json()["services"]["views"]["error"] == "companion: it says nothing"
    doctor = program.run("doctor", "--json")
    wrong = [check["message"] for check in json.loads(doctor.stdout)["checks"] if check["state"] == "wrong"]
    assert doctor.returncode == 1
    assert any(message.startswith("views is stuck since ") for message in wrong)
    metrics = httpx.get(f"{address}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=20).text
    assert 'claims_ledger_service_up{service="views"} 0.0' in metrics
    assert 'claims_ledger_service_up{service="sealer"} 1.0' in metrics
    assert re.search(r'claims_ledger_service_restarts_total\{service="views"\} \d', metrics)
    assert re.search(r'claims_ledger_service_last_progress_seconds\{service="sealer"\} \d', metrics)

    # Silent for half a minute it is ended by force, and another one goes on.
    wait_for(lambda: readiness(address)["ready"])
    assert not companion.is_running() or companion.status() == psutil.STATUS_ZOMBIE
    assert states_of(address)["companion"]["restarts"] == 1
    assert states_of(address)["views"]["restarts"] == 1
    healthy = program.run("doctor", "--json")
    assert "started again 1 times (" in healthy.stdout


def test_where_up_runs_is_known_in_its_home_while_it_runs_and_no_longer(
    program: Program, running: "subprocess.Popen[str]"
) -> None:
    settings = Settings.load(home=Path(program.environment["COVERLEDGER_HOME"]))
    found = running_up(settings, "cyber-care")
    assert found is not None
    assert found.pid == running.pid
    assert found.readiness() is not None
    assert running_up(settings, "another") is None
    assert ended_by(running)[0] == 0
    assert running_up(settings, "cyber-care") is None
    assert list((settings.home / "run").iterdir()) == []


@pytest.mark.slow
def test_one_that_was_killed_is_not_taken_for_one_that_runs(
    program: Program, running: "subprocess.Popen[str]"
) -> None:
    settings = Settings.load(home=Path(program.environment["COVERLEDGER_HOME"]))
    running.kill()
    running.communicate()
    assert (settings.home / "run" / "up-cyber-care.json").exists()
    assert running_up(settings, "cyber-care") is None
    told = json.loads(program.run("doctor", "--json").stdout)
    [services] = [check for check in told["checks"] if check["check"] == "services"]
    assert services["state"] == "hint"
