"""Data of another major version is refused, with the line that moves it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from embedded_homes import SITE, SOURCE, ask

from ledger.postgres import EmbeddedPostgres, PostgresUnavailable
from ledger.postgres.binaries import find_binaries, read_binaries


def other_postgres() -> Path | None:
    """Programs of another major version on this machine."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin")):
        found = read_binaries(folder)
        if found is not None and found.major != find_binaries().major:
            return folder
    return None


def test_data_of_another_major_version_is_refused_with_the_line_to_type(home: Path) -> None:
    EmbeddedPostgres(home).join().close()
    (home / "postgres" / "data" / "PG_VERSION").write_text("14\n")
    with pytest.raises(PostgresUnavailable, match="is Postgres 14's and this is Postgres") as refused:
        EmbeddedPostgres(home).join()
    said = str(refused.value)
    assert "\n" not in said
    assert "COVERLEDGER_POSTGRES_BIN=/usr/lib/postgresql/14/bin" in said
    assert f"pg_dumpall --file=ledger.sql && mv {home}/postgres {home}/postgres-14 && " in said


@pytest.mark.test_all
def test_the_line_to_type_moves_the_data(home: Path, tmp_path: Path) -> None:
    older = other_postgres()
    if older is None:
        pytest.skip("no other major version of Postgres on this machine")
    with EmbeddedPostgres(home, binaries=older).join() as server:
        ask(server.superuser_dsn, "CREATE DATABASE book")
        ask(server.dsn("postgres", "book"), "CREATE TABLE kept AS SELECT 42 AS answer")
        ask(server.superuser_dsn, f"CREATE ROLE app LOGIN PASSWORD '{server.password('app')}'")
    with pytest.raises(PostgresUnavailable) as refused:
        EmbeddedPostgres(home).join()
    line = re.sub(r".*dump and restore: ", "", str(refused.value))
    typed = subprocess.run(
        ["/bin/sh", "-c", line.replace("python -m", f"{sys.executable} -m")],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{SOURCE}:{SITE}"},
    )
    assert typed.returncode == 0, typed.stderr
    with EmbeddedPostgres(home).join() as server:
        assert int(server.version.split(".")[0]) == find_binaries().major
        assert ask(server.dsn("postgres", "book"), "SELECT answer FROM kept") == "42"
        assert ask(server.dsn("app", "postgres"), "SELECT current_user") == "app"
