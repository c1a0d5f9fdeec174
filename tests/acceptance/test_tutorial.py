"""The tutorial, as it is typed, on the sample book that `make up` shows."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from architecture.sources import ROOT
from fixtures.program import EXECUTABLE, Program, ended_by, environment_for

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFUSED = "coverledger claim refund K-1 --payment-reference PAY-2"


def commands_in(text: str) -> list[str]:
    """Return the commands of the ledger in a page's blocks, each on one line and without its comment."""
    blocks: list[str] = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in re.sub(r" *\\\n +", " ", block).splitlines()]
    return [re.sub(r" +# .*", "", line) for line in lines if line.startswith("coverledger ")]


def tour() -> list[str]:
    return commands_in(TUTORIAL.split("<!-- tour: begin -->")[1].split("<!-- tour: end -->")[0])


@pytest.fixture
def demo(tmp_path: Path) -> Program:
    return Program(environment_for(tmp_path / ".demo"))


def test_what_the_readme_shows_is_part_of_the_tutorial_in_its_order() -> None:
    shown = commands_in(README)
    assert shown == [line for line in tour() if line in shown]
    assert REFUSED in shown


@pytest.mark.slow
def test_every_command_of_the_tutorial_does_what_it_says(demo: Program, tmp_path: Path) -> None:
    beside = demo.up("--demo")
    path = f"{EXECUTABLE.parent}{os.pathsep}{os.environ['PATH']}"
    said = {}
    for line in tour():
        ended = subprocess.run(
            ["/bin/sh", "-c", line],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=demo.environment | {"PATH": path, "COLUMNS": "100"},
        )
        assert ended.returncode == (1 if line == REFUSED else 0), (line, ended.stderr)
        said[line] = ended.stdout + ended.stderr
    assert ended_by(beside)[0] == 0

    assert len(said) == len(tour()) > 10
    assert "Refused REFUND_EXCEEDS_APPROVED" in said[REFUSED]
    assert "5,000.00 EUR" in said["coverledger claim show K-1"]
    assert "1,200.00 EUR" in said["coverledger claim show K-1"]
    assert "cancelled" in said["coverledger contract show CC-1"]
    assert "verified: contract CC-1" in said[tour()[-1]]
