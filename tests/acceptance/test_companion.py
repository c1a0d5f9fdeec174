"""The companion of `up`: what follows computes in a process of its own, which lives and ends with `up`."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import httpx
import psutil
import pytest

from fixtures.desk import contract
from fixtures.program import Program, ended_by

WAIT_SECONDS = 20.0


def companions_of(running: "subprocess.Popen[str]") -> list[psutil.Process]:
    return [
        child for child in psutil.Process(running.pid).children() if "coverledger.worker" in child.cmdline()
    ]


def wait_for(condition: Callable[[], bool]) -> None:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < WAIT_SECONDS
        time.sleep(0.05)


def views_are_at_the_end(program: Program) -> bool:
    doctor = program.run("projections", "list", "--json")
    return all(view["lag"] == 0 for view in json.loads(doctor.stdout))


@pytest.fixture
def running(program: Program) -> Iterator["subprocess.Popen[str]"]:
    running = program.up()
    wait_for(lambda: len(companions_of(running)) == 1)
    yield running
    if running.poll() is None:
        running.kill()
    running.communicate()


@pytest.mark.slow
def test_a_companion_that_dies_is_started_again_and_follows_on(
    program: Program, running: "subprocess.Popen[str]"
) -> None:
    [first] = companions_of(running)
    first.kill()
    program.run("submit", "StartContract", json.dumps(contract("CC-1")))
    wait_for(lambda: any(one.pid != first.pid for one in companions_of(running)))
    assert [row["contract"] for row in program.rows("contract", "list")] == ["CC-1"]
    wait_for(lambda: views_are_at_the_end(program))

    code, said = ended_by(running)
    assert (code, said.count("CompanionEnded: exit code -9"), "Traceback" in said) == (0, 1, False)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_whatever_ends_up_ends_its_companion_and_nothing_is_said_of_it(
    running: "subprocess.Popen[str]", number: int
) -> None:
    [companion] = companions_of(running)
    running.send_signal(number)
    _, said = running.communicate(timeout=WAIT_SECONDS)
    companion.wait(WAIT_SECONDS)
    assert "CompanionEnded" not in said
    assert "Traceback" not in said


def test_ctrl_c_in_a_terminal_reaches_both_and_ends_both(running: "subprocess.Popen[str]") -> None:
    [companion] = companions_of(running)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    _, said = running.communicate(timeout=WAIT_SECONDS)
    companion.wait(WAIT_SECONDS)
    assert running.returncode == 0
    assert ("Traceback" in said, "KeyboardInterrupt" in said) == (False, False)


@pytest.mark.slow
def test_the_log_is_a_json_object_a_line_where_that_is_wanted_and_holds_no_link_to_sign_in(
    program: Program,
) -> None:
    running = Program(program.environment | {"COVERLEDGER_LOG_FORMAT": "json"}).start("up", "--one-process")
    assert running.stderr is not None
    ready = json.loads(running.stderr.readline())
    assert (ready["event"], ready["book"]) == ("ready", "cyber-care")
    token = program.run("token", "create", "--role", "auditor", "--name", "auditor-1").stdout.strip()
    address = f"{ready['address']}/v1/cyber-care/contracts"
    assert httpx.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=20).json() == []
    assert companions_of(running) == []

    code, said = ended_by(running)
    lines = [json.loads(line) for line in said.splitlines()]
    assert code == 0
    [asked] = [line for line in lines if line["event"] == "http_request"]
    assert (asked["route"], asked["status"], asked["actor"]) == ("/v1/{book}/contracts", 200, "auditor-1")
    assert lines[-1]["event"] == "stopped"
    assert "code=" not in json.dumps([ready, *lines])
