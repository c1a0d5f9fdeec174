"""An older copy of the whole disk brings nobody back who was erased, once the keys were rotated."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from restoring_desk import Desk

from fixtures.program import Program, environment_for
from ledger.postgres import EmbeddedPostgres


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="coverledger-home-"))
    folder.chmod(0o711)
    try:
        yield folder / "home"
        EmbeddedPostgres(folder / "home").remove()
    finally:
        shutil.rmtree(folder)


def at_rest(home: Path) -> Path:
    """The data folder of a server that has stopped."""
    data = home / "postgres" / "data"
    until = time.monotonic() + 60
    while (data / "postmaster.pid").exists():
        assert time.monotonic() < until
        time.sleep(0.1)
    return data


@pytest.mark.slow
def test_a_base_backup_from_before_an_erasure_opens_for_nobody_and_its_survivors_come_back(
    home: Path, tmp_path: Path
) -> None:
    desk = Desk(Program(environment_for(home)), tmp_path, home)
    desk.starts("C-1", "C-2")
    assert "Name of C-1" in desk.does("subject", "export", "P-1", "--reason", "test", "--json")
    base_backup = tmp_path / "base-backup"
    subprocess.run(["/bin/cp", "-a", at_rest(home), base_backup], check=True)
    [old_key] = json.loads((home / "secrets" / "master.key").read_text())["keys"].values()

    desk.does("subject", "erase", "P-1", "--reason", "asked for")
    desk.does("keys", "rotate")
    desk.does("backup", "--vault", tmp_path / "vault.dump")
    assert all(old_key not in path.read_text() for path in (home / "secrets").glob("*.*"))

    data = at_rest(home)
    shutil.rmtree(data)
    subprocess.run(["/bin/cp", "-a", base_backup, data], check=True)
    assert "restore --accept" in desk.fails("limits")
    desk.does("restore", "--accept")
    for person in ("P-1", "P-2"):
        said = desk.fails("subject", "export", person, "--reason", "test")
        assert "does not hold the master key" in said
    assert desk.reads("restore", "--vault", tmp_path / "vault.dump")["erased"] == ["P-1"]
    assert "Name of C-2" in desk.does("subject", "export", "P-2", "--reason", "test", "--json")
    assert "Name of C-1" not in desk.does("subject", "export", "P-1", "--reason", "test", "--json")
    assert desk.reads("events")[-1]["type"] == "contract.SubjectErased"
    desk.starts("C-3")
    desk.does("verify")
