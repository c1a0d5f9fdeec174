"""Schemathesis, which we did not write, against the running program: all its phases, links followed.

`FAULTS_FULL=1` makes it the full form, thousands of cases; CI runs a short one.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.program import Program, ended_by

FULL = bool(os.environ.get("FAULTS_FULL"))
CHECKS = Path(__file__).parent / "fuzzing"
PHASES = "examples,coverage,fuzzing,stateful" if FULL else "examples,fuzzing,stateful"
EXAMPLES = 20 if FULL else 2
LEAST_CASES = 5_000 if FULL else 200

FIRST = (
    '{"contract": "CC-1", "product": "cyber-care", "starts_on": "2026-01-01",'
    ' "policyholder": {"person": "P-1", "name": "Ada Peeters"}}'
)


@pytest.mark.test_all
def test_no_case_gets_a_5xx_an_undocumented_answer_or_an_error_that_is_no_problem(
    bare_program: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = bare_program
    assert program.run("init", "--simulated").returncode == 0
    program.run("submit", "StartContract", FIRST, "--at", "2026-03-01T10:00:00+01:00")
    running = program.start("up")
    assert running.stderr is not None
    address = ""
    for line in running.stderr:
        address = line.split()[1] if line.startswith("HTTP") else address
        if line.startswith("Ready"):
            break
    # What it says of each request must be read, or it would wait to be.
    reading = subprocess.Popen(["/bin/cat"], stdin=running.stderr, stdout=subprocess.DEVNULL)
    token = program.run("token", "create", "--role", "admin", "--name", "fuzz").stdout.strip()
    try:
        ended = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"),
                *("--config-file", CHECKS / "schemathesis.toml", "run", f"{address}/openapi.json"),
                *("--header", f"Authorization: Bearer {token}", "--phases", PHASES),
                *("--max-examples", str(EXAMPLES), "--continue-on-failure", "--workers", "1"),
                *(() if FULL else ("--seed", "7")),
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=program.environment | {"SCHEMATHESIS_HOOKS": "fuzzing_checks", "PYTHONPATH": str(CHECKS)},
        )
    finally:
        code, _ = ended_by(running, signal.SIGTERM)
        reading.wait(10)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    generated = re.search(r"(\d+) generated, (\d+) passed", ended.stdout)
    assert generated is not None, ended.stdout
    with capsys.disabled():
        print(f"\nschemathesis, {PHASES}: {generated[0]}")  # noqa: T201  # how many is part of what is shown
    assert int(generated[2]) == int(generated[1]) >= LEAST_CASES
    assert code == 0
