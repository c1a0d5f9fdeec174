"""Migrations: numbered, opened with why, and free of what would close an engine to us."""

import re
from pathlib import Path

import pytest

from architecture.sources import ROOT

MIGRATIONS = sorted((ROOT / "migrations").glob("*.sql"))
CLOSING = {
    "an ICU collation": r"\bicu\b",
    "pgcrypto": r"\bpgcrypto\b",
    "a session's advisory lock": r"\bpg_(try_)?advisory_lock\b",
    "LISTEN or NOTIFY": r"\b(listen|notify|pg_notify)\b",
}


def without_comments(sql: str) -> str:
    return re.sub(r"--[^\n]*|/\*.*?\*/", "", sql, flags=re.DOTALL)


def test_there_are_migrations() -> None:
    assert MIGRATIONS


@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda path: path.name)
def test_a_migration_has_a_number_of_its_own_and_a_name(migration: Path) -> None:
    assert re.fullmatch(r"\d{4}_[a-z0-9_]+\.sql", migration.name)
    assert [other.name for other in MIGRATIONS if other.name[:4] == migration.name[:4]] == [migration.name]


@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda path: path.name)
def test_a_migration_opens_with_one_line_that_says_why(migration: Path) -> None:
    assert re.match(r"-- \S.{20,}\n", migration.read_text(encoding="utf-8"))


@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda path: path.name)
def test_a_migration_uses_nothing_that_would_close_an_engine_to_us(migration: Path) -> None:
    sql = without_comments(migration.read_text(encoding="utf-8"))
    assert [what for what, words in CLOSING.items() if re.search(words, sql, re.IGNORECASE)] == []
