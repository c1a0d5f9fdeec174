"""Passwords of the embedded Postgres: random, kept, and nobody else's to read."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from embedded_homes import answers, ask

from ledger.postgres import EmbeddedPostgres, PostgresUnavailable
from ledger.postgres.paths import password_of


def test_a_role_keeps_its_password(tmp_path: Path) -> None:
    assert password_of(tmp_path, "app") == password_of(tmp_path, "app")
    assert password_of(tmp_path, "app") != password_of(tmp_path, "sealer")
    assert len(password_of(tmp_path, "app")) == 32


def test_a_password_is_readable_by_its_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        password_of(tmp_path, "app")
    finally:
        os.umask(former)
    assert stat.S_IMODE((tmp_path / "app").stat().st_mode) == 0o600


def test_a_password_that_others_may_read_is_refused_with_what_to_type(tmp_path: Path) -> None:
    password_of(tmp_path, "app")
    (tmp_path / "app").chmod(0o640)
    with pytest.raises(PostgresUnavailable, match=f"chmod 600 {tmp_path / 'app'}"):
        password_of(tmp_path, "app")


def test_programs_that_ask_at_once_are_told_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as programs:
        told = set(programs.map(lambda _: password_of(tmp_path, "app"), range(64)))
    assert len(told) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["app"]


@pytest.mark.parametrize("role", ["", "../app", "App", "a b", "1a", "a" * 64])
def test_a_name_that_is_no_roles_is_refused(tmp_path: Path, role: str) -> None:
    with pytest.raises(ValueError, match="is no name of a role"):
        password_of(tmp_path, role)


def test_a_role_made_with_its_password_gets_in_by_its_dsn(home: Path) -> None:
    with EmbeddedPostgres(home).join() as server:
        ask(server.superuser_dsn, f"CREATE ROLE app LOGIN PASSWORD '{server.password('app')}'")
        assert answers(server.dsn("app", "postgres"))
