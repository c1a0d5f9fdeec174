"""Migrations are applied once, in order, under a lock, and never change afterwards."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg2
import pytest

from fixtures.database import Database, execute
from ledger.migrate import Migration, migrate, migrations, pending
from ledger.store.errors import DatabaseUnavailable, MigrationRefused


def names() -> list[str]:
    return [migration.name for migration in migrations()]


def test_every_migration_opens_with_a_line_that_says_why() -> None:
    for migration in migrations():
        assert migration.text.startswith("-- "), migration.name


def test_what_is_missing_is_applied_once_by_a_role_that_is_no_superuser(empty_database: Database) -> None:
    assert pending(empty_database.owner_dsn) == names()
    assert migrate(empty_database.owner_dsn) == names()
    assert migrate(empty_database.owner_dsn) == []
    assert pending(empty_database.owner_dsn) == []


def test_many_that_migrate_at_once_apply_each_migration_once(empty_database: Database) -> None:
    with ThreadPoolExecutor(4) as threads:
        applied = list(threads.map(lambda _: migrate(empty_database.owner_dsn), range(4)))
    assert sorted(name for some in applied for name in some) == names()


def test_role_names_carry_the_databases_name(empty_database: Database) -> None:
    migrate(empty_database.owner_dsn)
    with psycopg2.connect(empty_database.owner_dsn) as connection, connection.cursor() as cursor:
        cursor.execute("select ledger.role('app'), to_regrole(ledger.role('app')) is not null")
        assert cursor.fetchall() == [(f"{empty_database.name}_app", True)]
    connection.close()


def test_a_migration_that_was_changed_after_it_was_applied_is_refused(
    empty_database: Database, tmp_path: Path
) -> None:
    copied(tmp_path)
    migrate(empty_database.owner_dsn, tmp_path)
    last = tmp_path / names()[-1]
    last.write_text(last.read_text(encoding="utf-8") + "\n-- one more thought", encoding="utf-8")
    for attempt in (migrate, pending):
        with pytest.raises(MigrationRefused, match="not the one that was applied"):
            attempt(empty_database.owner_dsn, tmp_path)


def test_a_database_newer_than_the_program_is_refused(empty_database: Database, tmp_path: Path) -> None:
    copied(tmp_path)
    migrate(empty_database.owner_dsn, tmp_path)
    (tmp_path / names()[-1]).unlink()
    with pytest.raises(MigrationRefused, match="upgrade the program"):
        migrate(empty_database.owner_dsn, tmp_path)


def test_a_migration_that_fails_leaves_nothing_of_itself(empty_database: Database, tmp_path: Path) -> None:
    copied(tmp_path)
    (tmp_path / "0998_broken.sql").write_text(
        "-- It fails half-way.\ncreate table ledger.half (); select 1/0;"
    )
    with pytest.raises(psycopg2.errors.DivisionByZero):
        migrate(empty_database.owner_dsn, tmp_path)
    assert pending(empty_database.owner_dsn, tmp_path) == ["0998_broken.sql"]
    with pytest.raises(psycopg2.errors.UndefinedTable):
        execute(empty_database.superuser_dsn, "select * from ledger.half")


def test_a_later_migration_makes_what_the_application_may_write(
    empty_database: Database, tmp_path: Path
) -> None:
    copied(tmp_path)
    migrate(empty_database.owner_dsn, tmp_path)
    (tmp_path / "0998_later.sql").write_text(
        "-- A view needs a table.\ncreate table projections.later (x int);"
    )
    assert migrate(empty_database.owner_dsn, tmp_path) == ["0998_later.sql"]
    app = f"{empty_database.name}_app"
    execute(empty_database.superuser_dsn, f"set role {app}; insert into projections.later values (1)")


def test_two_migrations_of_one_number_are_refused(tmp_path: Path) -> None:
    for name in ("0001_one.sql", "0001_other.sql"):
        (tmp_path / name).write_text("-- Why.\n")
    with pytest.raises(MigrationRefused, match="two migrations bear the number 0001"):
        migrations(tmp_path)


def test_a_role_that_may_not_is_told_what_it_must_be(database: Database, tmp_path: Path) -> None:
    copied(tmp_path)
    (tmp_path / "0998_later.sql").write_text(
        "-- A view needs a table.\ncreate table projections.later (x int);"
    )
    with pytest.raises(MigrationRefused, match="the role that migrates may not"):
        migrate(database.app_dsn, tmp_path)


def test_a_server_that_is_away_is_unreachable() -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
        migrate("host=127.0.0.1 port=1 dbname=none user=none")


def test_line_ends_do_not_change_a_migrations_hash(tmp_path: Path) -> None:
    (tmp_path / "0001_one.sql").write_bytes(b"-- Why.\r\nselect 1;\r\n")
    assert migrations(tmp_path) == [Migration("0001_one.sql", "-- Why.\nselect 1;\n")]


def copied(folder: Path) -> None:
    for migration in migrations():
        (folder / migration.name).write_text(migration.text, encoding="utf-8")


def test_books_from_before_the_new_name_keep_the_types_of_their_events_and_new_ones_bear_it(
    empty_database: Database, tmp_path: Path
) -> None:
    copied(tmp_path)
    (tmp_path / "0080_prefix_of_event_types.sql").unlink()
    migrate(empty_database.owner_dsn, tmp_path)
    insert = "insert into ledger.books (book, kind, origin) values ('{0}', 'real', 'log/{0}')"
    execute(empty_database.superuser_dsn, insert.format("before"))
    assert migrate(empty_database.owner_dsn) == ["0080_prefix_of_event_types.sql"]
    execute(empty_database.superuser_dsn, insert.format("after"))
    with psycopg2.connect(empty_database.superuser_dsn) as connection, connection.cursor() as cursor:
        cursor.execute("select book, event_type_prefix from ledger.books order by book")
        assert cursor.fetchall() == [("after", "coverledger"), ("before", "claims-ledger")]
    connection.close()
