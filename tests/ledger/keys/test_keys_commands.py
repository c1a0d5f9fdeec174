"""`keys list`, `keys rotate`, `keys kept`, and what `init` and `doctor` say of them."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from fixtures.program import Program

START = {
    "contract": "C-1",
    "product": "cyber-care",
    "starts_on": "2026-01-05",
    "policyholder": {"person": "P-1", "name": "Mila Peeters"},
}


@pytest.fixture
def ledger(program: Program) -> Program:
    """A ledger in which something is recorded, sealed and signed."""
    assert program.run("submit", "StartContract", json.dumps(START)).returncode == 0
    assert program.run("checkpoint").returncode == 0
    return program


def read(program: Program, *words: str) -> Any:  # noqa: ANN401  # whatever JSON holds
    ended = program.run(*words, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def signing_keys_of(note: str) -> set[bytes]:
    """The ids of the keys that signed a note: the four bytes before each signature."""
    return {b64decode(line.split()[2])[:4] for line in note.splitlines() if line.startswith("— ")}


def copies_check(program: Program) -> dict[str, str]:
    checks = json.loads(program.run("doctor", "--json").stdout)["checks"]
    [found] = [check for check in checks if check["check"] == "key copies"]
    return dict(found)


def test_all_keys_are_listed_by_what_they_are_good_for_and_none_is_shown(ledger: Program) -> None:
    rows = ledger.rows("keys", "list")
    assert [(row["kind"], row["state"]) for row in rows] == [("master", "in force"), ("signing", "in force")]
    assert rows[0]["use"] == "wraps 2 keys"
    assert rows[1]["use"] == "cyber-care, heads from 0 on"
    shown = ledger.run("keys", "list").stdout
    assert "PRIVATE" not in shown
    assert rows[0]["key"] in shown


@pytest.mark.slow
def test_a_new_signing_key_signs_on_and_old_heads_verify_with_the_old_one(ledger: Program) -> None:
    old = ledger.run("checkpoint").stdout
    rotated = read(ledger, "keys", "rotate", "--signing")
    assert rotated["from_size"] == int(old.splitlines()[1])
    assert ledger.run("submit", "StartContract", json.dumps(START | {"contract": "C-2"})).returncode == 0
    new = ledger.run("checkpoint").stdout
    assert new.splitlines()[0] == old.splitlines()[0]
    assert signing_keys_of(old) < signing_keys_of(new)
    assert ledger.run("verify").returncode == 0
    states = [row["state"] for row in ledger.rows("keys", "list") if row["kind"] == "signing"]
    assert states == ["in force", "signs too"]


def test_a_signing_key_that_has_signed_nothing_is_not_rotated(program: Program) -> None:
    ended = program.run("keys", "rotate", "--signing")
    assert ended.returncode == 1
    assert "has signed no head yet" in ended.stderr


@pytest.mark.slow
def test_a_new_signing_key_has_signed_the_standing_head_and_may_be_rotated_again(ledger: Program) -> None:
    for _ in range(2):
        assert ledger.run("keys", "rotate", "--signing").returncode == 0
    assert ledger.run("verify").returncode == 0


@pytest.mark.slow
def test_after_rotating_the_master_key_all_goes_on_and_the_old_id_is_gone(ledger: Program) -> None:
    [before] = [row["key"] for row in ledger.rows("keys", "list") if row["kind"] == "master"]
    rotated = read(ledger, "keys", "rotate")
    assert rotated["destroyed"] == [before]
    assert rotated["persons"] == 1
    [after] = [row["key"] for row in ledger.rows("keys", "list") if row["kind"] == "master"]
    assert after == rotated["current"] != before
    assert ledger.run("submit", "StartContract", json.dumps(START | {"contract": "C-3"})).returncode == 0


@pytest.mark.slow
def test_doctor_asks_for_a_copy_until_one_is_noted_and_again_after_a_rotation(ledger: Program) -> None:
    assert "keys kept" in ledger.run("init").stderr
    assert copies_check(ledger)["state"] == "hint"
    noted = read(ledger, "keys", "kept", "safe of the Brussels office")
    assert noted["where"] == "safe of the Brussels office"
    assert copies_check(ledger)["state"] == "well"
    assert "safe of the Brussels office" in copies_check(ledger)["message"]
    rows = ledger.rows("keys", "list")
    assert [row["copies"] for row in rows] == [["safe of the Brussels office"]] * 2
    read(ledger, "keys", "rotate")
    assert copies_check(ledger)["state"] == "hint"


@pytest.mark.slow
@pytest.mark.parametrize("words", [("keys", "rotate"), ("backup", "ledger.dump"), ("restore", "ledger.dump")])
def test_what_is_the_operator_s_to_do_is_refused_to_the_login_of_daily_work(
    ledger: Program, tmp_path: Path, words: tuple[str, ...]
) -> None:
    if words[0] == "restore":
        assert ledger.run("backup", str(tmp_path / words[1])).returncode == 0
    daily = {name: value for name, value in ledger.environment.items() if name != "COVERLEDGER_MIGRATE_DSN"}
    ended = Program(daily).run(*(str(tmp_path / word) if "." in word else word for word in words))
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(
        "Error: this is the operator's to do: set COVERLEDGER_MIGRATE_DSN"
    )
