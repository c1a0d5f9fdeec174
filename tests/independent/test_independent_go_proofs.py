"""The proofs that the program gives one by one, read by the Go team's transparency log packages."""

import json
from pathlib import Path

import pytest
from go_programs import built, needs_go, run

from fixtures.desk import claim, contract, send
from fixtures.program import CommandLine
from ledger.app import App

pytestmark = needs_go
HOSTILE = "Zoë \"x\"; =cmd|' /C calc'!A0, \u202eabc\u202c 😀\nsecond line"


@pytest.fixture(scope="module")
def go_proofs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("go_proofs", tmp_path_factory.mktemp("go"))


@pytest.fixture
def key(wiring: App, command_line: CommandLine) -> str:
    """The key of a book with a contract, a claim whose texts are hostile, and others around them."""
    for number in ("CC-0", "CC-1", "CC-2"):
        send(wiring, "StartContract", contract(number), "2026-01-02T09:00:00+01:00")
    fields = claim("K-1", "CC-1", narrative=HOSTILE)
    assert send(wiring, "OpenClaim", fields, "2026-02-02T09:00:00+01:00").status == "recorded"
    return command_line("checkpoint", "--vkey").out.strip()


def test_a_contract_s_file_is_verified_and_refused_with_one_letter_changed(
    go_proofs: Path, key: str, command_line: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "CC-1.json"
    file.write_text(command_line("proof", "CC-1").out, encoding="utf-8")
    done = run(go_proofs, key, file)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "verified 2 streams of CC-1 in a log of 5\n"

    content = json.loads(file.read_text(encoding="utf-8"))
    event = content["streams"][1]["events"][-1]
    event["leaf"] = event["leaf"].replace("K-1", "K-7")
    file.write_text(json.dumps(content), encoding="utf-8")
    done = run(go_proofs, key, file)
    assert (done.returncode, done.stdout) == (1, "")
    assert "claim/K-1" in done.stderr


def test_a_head_that_extends_another_is_verified_and_no_other_is(
    go_proofs: Path, key: str, wiring: App, command_line: CommandLine, tmp_path: Path
) -> None:
    old, proof = tmp_path / "old.checkpoint", tmp_path / "new.consistency"
    old.write_text(command_line("checkpoint").out, encoding="utf-8")
    for number in range(3, 9):
        send(wiring, "StartContract", contract(f"CC-{number}"), "2026-01-02T09:00:00+01:00")
    proof.write_text(command_line("checkpoint", "--since", str(old)).out, encoding="utf-8")
    done = run(go_proofs, key, proof, old)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "verified 11 extends 5\n")

    lines = proof.read_text(encoding="utf-8").split("\n")
    lines[1], lines[2] = lines[2], lines[1]
    proof.write_text("\n".join(lines), encoding="utf-8")
    done = run(go_proofs, key, proof, old)
    assert (done.returncode, done.stdout) == (1, "")
