"""`verify`, `export`, `proof` and `checkpoint` as they are typed: what they print, and how they end."""

import json
from pathlib import Path

import pytest

from coverledger.__main__ import run
from fixtures.database import Database, execute
from fixtures.desk import claim, contract, send
from fixtures.program import Program
from ledger.app import App
from ledger.cli import verification as command
from ledger.store.pool import Pool
from ledger.verification import chunks
from ledger.verification.database import DatabaseProof, OnProgress, ProgressStore
from ledger.verification.trust_anchors import TrustAnchors

WHEN = "2026-02-03T10:00:00+01:00"


@pytest.fixture
def desk(program: Program, wiring: App) -> Program:
    """The program on a real book with one contract and a claim on it."""
    send(wiring, "StartContract", contract(), WHEN)
    send(wiring, "OpenClaim", claim(), WHEN)
    assert program.rows("limits")
    return program


@pytest.fixture
def key(desk: Program) -> str:
    return desk.run("checkpoint", "--vkey").stdout.strip()


def tamper(database: Database, statement: str) -> None:
    execute(
        database.superuser_dsn,
        *(f"alter table ledger.{table} disable trigger append_only" for table in ("events", "log")),
        statement,
    )


def test_verify_says_what_it_verified(desk: Program) -> None:
    ended = desk.run("verify", "--views")
    assert ended.returncode == 0, ended.stderr
    first, *rest = ended.stdout.splitlines()
    assert first == "verified: 3 events in 2 streams, 1 signed heads"
    assert any(line.startswith("limits: ") for line in rest)
    assert rest[-1].startswith("log: ")
    told = json.loads(desk.run("verify", "--views", "--json").stdout)
    assert told["verified"] is True
    assert (told["size"], told["proven"], told["streams"], told["waiting"]) == (3, 3, 2, 0)
    assert told["views"]["limits"]["rows"] > 0


@pytest.mark.slow
def test_verify_names_the_first_bad_position_in_one_line_and_exits_1(
    desk: Program, database: Database
) -> None:
    tamper(database, "update ledger.events set actor = 'desk-99' where stream = 'claim/K-1'")
    ended = desk.run("verify")
    assert ended.returncode == 1
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith(
        "Error: not verified: position 1 (ledger.events, claim/K-1 version 1): its actor is "
    )
    assert "restore a backup that verifies" in line
    told = json.loads(desk.run("verify", "--json").stdout)
    assert (told["verified"], told["position"]) == (False, 1)
    assert told["row"] == "ledger.events, claim/K-1 version 1"


def test_verify_with_views_names_the_view_s_row(desk: Program, database: Database) -> None:
    execute(
        database.superuser_dsn,
        "update projections.limits set amount_limit_cents = 1 where guarantee = 'data'",
    )
    assert desk.run("verify").returncode == 0
    ended = desk.run("verify", "--views")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "position 0 (projections.limits, CC-1 1 data): its amount_limit_cents is 1" in line
    assert "projections rebuild" in line
    assert desk.run("projections", "rebuild", "--all").returncode == 0
    assert desk.run("verify", "--views").returncode == 0


@pytest.mark.slow
def test_a_bundle_is_exported_and_verified_with_the_key_alone(
    desk: Program, key: str, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    ended = desk.run("export", str(bundle))
    assert ended.returncode == 0, ended.stderr
    assert f"verify {bundle} --key '{key}'" in ended.stderr
    offline = Program(desk.environment | {"COVERLEDGER_DSN": "host=nowhere.invalid"})
    kept = tmp_path / "kept.checkpoint"
    kept.write_text(desk.run("checkpoint").stdout, encoding="utf-8")
    given = ("--key", key, "--since", str(kept), "--contract", "CC-1")
    ended = offline.run("verify", str(bundle), *given)
    assert ended.returncode == 0, ended.stderr
    assert "contract/CC-1: 2 events, complete" in ended.stdout
    assert "claim/K-1: 1 events, complete" in ended.stdout
    told = json.loads(offline.run("verify", str(bundle), *given, "--json").stdout)
    assert (told["verified"], told["size"]) == (True, 3)
    payload = next((bundle / "payload").rglob("3"))
    payload.write_bytes(payload.read_bytes()[:-1] + b" ")
    ended = offline.run("verify", str(bundle), "--key", key)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: not verified: position 2 (payload/000.p/3): ")
    again = desk.run("export", str(bundle))
    assert again.returncode == 2
    assert "name a new folder" in again.stderr


@pytest.mark.slow
def test_one_contract_s_proof_is_one_file(desk: Program, key: str, tmp_path: Path) -> None:
    file = tmp_path / "CC-1.proof.json"
    ended = desk.run("proof", "CC-1", "--out", str(file))
    assert ended.returncode == 0, ended.stderr
    assert desk.run("proof", "CC-1").stdout == file.read_text(encoding="utf-8")
    ended = desk.run("verify", str(file), "--key", key)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("verified: contract CC-1, 3 events\n")
    other = desk.run("verify", str(file), "--key", key, "--contract", "CC-2")
    assert other.returncode == 1
    assert "is the proof of contract CC-1, not of CC-2" in other.stderr
    file.write_text(file.read_text(encoding="utf-8").replace("desk", "disk"), encoding="utf-8")
    file.write_text(
        file.read_text(encoding="utf-8").replace('\\"ordinal\\":0', '\\"ordinal\\":9'), encoding="utf-8"
    )
    assert desk.run("verify", str(file), "--key", key).returncode == 1
    unknown = desk.run("proof", "CC-9")
    assert unknown.returncode == 1
    assert "holds no contract CC-9" in unknown.stderr


@pytest.mark.slow
def test_a_head_extends_an_older_one_by_a_proof_that_stands_alone(
    desk: Program, wiring: App, key: str, tmp_path: Path
) -> None:
    old = tmp_path / "old.checkpoint"
    old.write_text(desk.run("checkpoint").stdout, encoding="utf-8")
    send(wiring, "StartContract", contract("CC-2"), WHEN)
    proof = tmp_path / "march-to-today.consistency"
    proof.write_text(desk.run("checkpoint", "--since", str(old)).stdout, encoding="utf-8")
    ended = desk.run("verify", str(proof), "--key", key, "--since", str(old))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("verified: the log of 4 events begins with the 3 of the older head")
    assert desk.run("verify", "--since", str(old)).returncode == 0
    told = json.loads(desk.run("checkpoint", "--since", str(old), "--json").stdout)
    assert told["consistency"].startswith("old 3\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verify", "--contract", "CC-1"), "coverledger proof CONTRACT"),
        (("verify", ".", "--views"), "leave TARGET out"),
        (("verify", "."), "checkpoint --vkey"),
        (("verify", "--key", "nonsense"), "not an Ed25519 verifier key"),
        (("verify", "/nowhere"), "does not exist"),
        (("checkpoint", "--vkey", "--since", __file__), "ask for one of them"),
        (("checkpoint", "--since", __file__), "is no signed head"),
    ],
)
def test_what_is_typed_wrongly_is_said_in_one_line(
    program: Program, words: tuple[str, ...], said: str
) -> None:
    ended = program.run(*words)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert said in line


@pytest.mark.slow
def test_a_book_of_which_nothing_is_sealed_has_no_head(program: Program) -> None:
    for words in (("checkpoint",), ("export", "bundle"), ("proof", "CC-1")):
        ended = program.run(*words)
        assert ended.returncode == 1
        assert len(ended.stderr.splitlines()) == 1
    assert program.run("verify", "--views").returncode == 0


def test_ctrl_c_breaks_off_and_the_next_run_goes_on_from_there(
    desk: Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, value in desk.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(chunks, "CHUNK_POSITIONS", 1)
    true_pass = command.verify_database

    def at_the_second(done: int, _total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    def broken_off(
        pool: Pool, book: str, outside: TrustAnchors, *, memory: ProgressStore, progress: OnProgress
    ) -> DatabaseProof:
        progress(0, 3)
        return true_pass(pool, book, outside, memory=memory, progress=at_the_second)

    monkeypatch.setattr(command, "verify_database", broken_off)
    assert run(["verify"]) == 130
    said = capsys.readouterr().err
    assert "Broken off: the next `coverledger verify` goes on from here" in said
    assert (tmp_path / "home" / "verification" / "cyber-care.json").exists()
    monkeypatch.setattr(command, "verify_database", true_pass)
    assert run(["verify"]) == 0
    ended = capsys.readouterr()
    assert ended.out.startswith("verified: 3 events in 2 streams, 1 signed heads")
    assert "Read from position 1 on" in ended.err
    assert not (tmp_path / "home" / "verification" / "cyber-care.json").exists()
    assert run(["verify", "--fresh"]) == 0
    assert "Read from position" not in capsys.readouterr().err
