"""The first subscribers of docs/subscribe.md, run as they are written there."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from architecture.sources import ROOT
from fixtures.broker import free_ports
from fixtures.desk import contract
from fixtures.node import NODE, needs_node
from fixtures.program import Program

PAGE = (ROOT / "docs" / "subscribe.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 # the page's own

pytestmark = pytest.mark.test_all


def block(language: str, with_words: str) -> str:
    [found] = [text for kind, text in BLOCKS if kind == language and with_words in text]
    return found


@contextmanager
def receiver_running(words: list[str], folder: Path, port: int) -> Iterator["subprocess.Popen[str]"]:
    environment = os.environ | {"WEBHOOK_SECRET": SECRET, "PORT": str(port)}
    with subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


def told_by(running: "subprocess.Popen[str]", program: Program, port: int) -> list[str]:
    """Record a contract and forward the feed twice; the lines that the receiver printed."""
    program.run("submit", "StartContract", json.dumps(contract()))
    forward = ("listen", "--forward-to", f"http://localhost:{port}/claims", "--since", "-1", "--until-end")
    for _ in range(200):
        done = program.run(*forward, "--secret", SECRET, "--json")
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stdout
    again = program.run(*forward, "--secret", SECRET, "--json")
    assert again.returncode == 0, again.stdout
    refused = program.run(*forward, "--json")
    assert refused.returncode == 1, "signed with another secret"
    events = len(again.stdout.splitlines())
    running.kill()
    assert running.stdout is not None
    lines = running.stdout.read().splitlines()
    assert len(lines) == events, "repetitions are told by their id"
    return lines


def test_the_receiver_in_python_takes_each_event_once(program: Program, tmp_path: Path) -> None:
    (tmp_path / "receiver.py").write_text(block("python", "do_POST"), encoding="utf-8")
    [port] = free_ports(1)
    with receiver_running([sys.executable, "receiver.py"], tmp_path, port) as running:
        lines = told_by(running, program, port)
    assert "coverledger.contract.ContractStarted.v1 contract/CC-1" in lines[0]
    assert "Ada Peeters" not in "".join(lines)


@needs_node
def test_the_receiver_in_javascript_takes_each_event_once(program: Program, node_folder: Path) -> None:
    (node_folder / "receiver.mjs").write_text(block("js", "createServer"), encoding="utf-8")
    [port] = free_ports(1)
    with receiver_running([str(NODE), "receiver.mjs"], node_folder, port) as running:
        lines = told_by(running, program, port)
    assert "coverledger.contract.ContractStarted.v1 contract/CC-1" in lines[0]
    assert "Ada Peeters" not in "".join(lines)


def test_the_loop_in_python_reads_on_where_it_was(program: Program, tmp_path: Path) -> None:
    program.run("submit", "StartContract", json.dumps(contract()))
    program.run("events")  # seals
    loop = block("python", "ledger.subscribe").replace('types=["claim.RefundIssued"], ', "")
    loop = loop.replace("event.event.amount_cents", "event.type")
    (tmp_path / "loop.py").write_text(loop, encoding="utf-8")
    told = [
        subprocess.run(
            [sys.executable, "loop.py"],
            cwd=tmp_path,
            env=program.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert told[0].startswith("0 contract/CC-1 contract.ContractStarted\n")
    assert told[1] == ""


def test_the_event_on_the_page_has_the_fields_that_events_have() -> None:
    shown = json.loads(block("json", "specversion"))
    assert list(shown)[:4] == ["specversion", "id", "source", "type"]
    assert set(shown["data"]) == {"amount_cents", "payment_reference", "owed_cents", "settles"}
