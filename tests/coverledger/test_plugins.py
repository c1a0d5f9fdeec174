"""What somebody else's distribution adds to the program; one that is broken is left out, and nothing else."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from coverledger.composition import compose, opened
from fixtures.database import Database
from fixtures.desk import contract, send
from fixtures.program import Program, settings_of
from ledger.app import App
from ledger.config import Settings
from ledger.http.app import create_app
from ledger.store.diagnostics import examine_feed

PLUGIN = Path(__file__).parent / "plugin"


def installed(folder: Path, name: str, module: str) -> Path:
    """A distribution with one plug-in, as an installer would leave it in a folder."""
    (folder / f"{name}.py").write_text(module)
    there = folder / f"{name}-1.0.dist-info"
    there.mkdir()
    (there / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (there / "entry_points.txt").write_text(f"[coverledger.plugins]\n{name} = {name}:register\n")
    return folder


def with_installed(program: Program, folder: Path) -> Program:
    return Program(program.environment | {"PYTHONPATH": str(folder)}, program.started)


@pytest.fixture
def plugged(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """A book of a program in whose environment the example plug-in is installed."""
    monkeypatch.syspath_prepend(PLUGIN)
    compose.cache_clear()
    with opened("cyber-care", Settings.load(home=tmp_path / "home", **settings_of(database))) as app:
        yield app
    compose.cache_clear()


def test_verbs_of_a_plug_in_stand_beside_those_of_the_program(program: Program) -> None:
    plugged = with_installed(program, PLUGIN)
    plugged.run("submit", "StartContract", json.dumps(contract("CC-1")))

    assert "Tell how many contracts started." in plugged.run("--help").stdout
    assert plugged.run("milestone").stdout == "1 contracts started\n"
    assert plugged.run("contract", "celebrate", "CC-1").stdout == "Hurray for CC-1!\n"
    assert [row["contract"] for row in plugged.rows("contract", "list")] == ["CC-1"]
    assert program.run("milestone").returncode == 2


def test_a_follower_of_a_plug_in_follows_and_its_check_is_part_of_verify(
    plugged: App, program: Program
) -> None:
    send(plugged, "StartContract", contract("CC-1"))
    plugged.catch_up()
    with plugged.pool.connection() as connection:
        feed = examine_feed(connection, plugged.book)

    assert feed.end >= 0
    assert feed.followers["milestones"] == feed.end
    verified = with_installed(program, PLUGIN).run("verify", "--views", "--json")
    assert json.loads(verified.stdout)["views"]["milestones"]["rows"] == 1


def test_a_route_of_a_plug_in_is_served_and_described(plugged: App) -> None:
    app = create_app(plugged)
    with TestClient(app, base_url="http://ledger.test") as client:
        assert client.get("/v1/cyber-care/milestones").json() == {"contracts": 0}
        assert client.get("/livez").status_code == 200
    assert "/v1/{book}/milestones" in app.openapi()["paths"]


def lines_on_plug_ins(ended: "subprocess.CompletedProcess[str]") -> int:
    told = "The plug-in broken (broken:register) is left out: "
    return sum(line.startswith(told) for line in ended.stderr.splitlines())


BROKEN = {
    "cannot-be-imported": "import nothing_of_this_name\n",
    "ends-the-program": "import sys\nsys.exit('wrong version')\n",
    "fails": "def register(registry):\n    raise OSError('no\\nlicence')\n",
    "takes-a-verb-that-is-there": (
        "def register(registry):\n    registry.add_verbs({'due': 'Another.'}, lambda: {})\n"
    ),
}


@pytest.mark.parametrize("module", BROKEN.values(), ids=BROKEN.keys())
def test_a_plug_in_that_cannot_register_is_left_out_with_one_line(
    module: str, tmp_path: Path, program: Program
) -> None:
    ended = with_installed(program, installed(tmp_path, "broken", module)).run("contract", "list", "--json")

    assert (ended.returncode, ended.stdout) == (0, "[]\n")
    assert lines_on_plug_ins(ended) == 1
    assert "Traceback" not in ended.stderr


LATE = {
    "its-verb": ("later", "registry.add_verbs({'later': 'Later.'}, fail)", 2),
    "a-verb-in-a-group": ("contract --help", "registry.add_group('contract', fail)", 0),
    "its-parts": ("contract list", "registry.add_parts(fail)", 0),
    "its-follower": (
        "contract list",
        "registry.add_parts(lambda parts: parts.followers.update(mine=fail))",
        0,
    ),
    "a-follower-that-is-there": (
        "contract list",
        "registry.add_parts(lambda parts: parts.followers.update(due=None))",
        0,
    ),
}


@pytest.mark.parametrize(("words", "registers", "exit_code"), LATE.values(), ids=LATE.keys())
def test_what_of_a_plug_in_fails_when_it_is_asked_for_is_left_out_with_one_line(
    words: str, registers: str, exit_code: int, tmp_path: Path, program: Program
) -> None:
    module = f"def fail(*_):\n    raise OSError('no licence')\ndef register(registry):\n    {registers}\n"
    ended = with_installed(program, installed(tmp_path, "broken", module)).run(*words.split())

    assert ended.returncode == exit_code
    assert lines_on_plug_ins(ended) == 1
    assert "Traceback" not in ended.stderr


def test_routes_that_cannot_be_made_are_left_out_and_the_others_served(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = (
        "def fail(*_):\n    raise OSError('no licence')\n"
        "def register(registry):\n"
        "    registry.add_serving(lambda serving: serving.routes.update(broken=fail))\n"
    )
    monkeypatch.syspath_prepend(installed(tmp_path, "unlicensed", module))
    compose.cache_clear()
    with opened("cyber-care", Settings.load(home=tmp_path / "home", **settings_of(database))) as app:
        client = TestClient(create_app(app), base_url="http://ledger.test")
        assert client.get("/livez").status_code == 200
    compose.cache_clear()
    assert "The plug-in unlicensed (unlicensed:register) is left out: OSError: no licence" in (
        capsys.readouterr().err
    )
