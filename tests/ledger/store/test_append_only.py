"""The database refuses to change what is recorded, whoever asks; each role may do what it must, no more."""

import psycopg2
import pytest
from psycopg2 import errors

from fixtures.commits import advice, append, claim, commit, new_event
from fixtures.database import BOOK, Database, execute
from ledger.sealing.sealer import Sealer
from ledger.store.event_store import EventStore
from ledger.store.pool import Pool

GUARDED = ("events", "log", "log_nodes", "checkpoints", "commands")
CHANGES = ("update ledger.{} set book = 'other'", "delete from ledger.{}", "truncate ledger.{}")


@pytest.fixture
def recorded(event_store: EventStore, sealer_pool: Pool) -> None:
    append(event_store, commit(new_event(claim(1), advice())))
    assert Sealer(sealer_pool, BOOK).seal_all() == 1
    with sealer_pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("insert into ledger.log_nodes values (%s, 1, 0, '')", (BOOK,))
        cursor.execute("insert into ledger.checkpoints values (%s, 1, '', '', now(), 1)", (BOOK,))


def counts(database: Database) -> list[int]:
    with psycopg2.connect(database.superuser_dsn) as connection, connection.cursor() as cursor:
        found = []
        for table in GUARDED:
            cursor.execute(f"select count(*) from ledger.{table}")
            found += [count for (count,) in cursor.fetchall()]
    connection.close()
    return found


def role(database: Database, kind: str) -> str:
    with psycopg2.connect(database.superuser_dsn) as connection, connection.cursor() as cursor:
        cursor.execute("select ledger.role(%s)", (kind,))
        [(name,)] = cursor.fetchall()
    connection.close()
    return str(name)


@pytest.mark.usefixtures("recorded")
def test_nobody_changes_what_is_recorded(database: Database) -> None:
    statements = [change.format(table) for table in GUARDED for change in CHANGES]
    for dsn in (database.app_dsn, database.sealer_dsn, database.reporting_dsn, database.auditor_dsn):
        for statement in statements:
            with pytest.raises(errors.InsufficientPrivilege):
                execute(dsn, statement)
    for dsn, before in (
        (database.owner_dsn, f"set role {role(database, 'owner')}"),
        (database.superuser_dsn, "select"),
        (database.superuser_dsn, "set session_replication_role = replica"),
    ):
        for statement in statements:
            with pytest.raises(errors.ProhibitedSqlStatementAttempted, match="append-only"):
                execute(dsn, before, statement)
    assert counts(database) == [1] * 5


def test_the_owner_cannot_log_in_and_no_login_is_a_superuser(database: Database) -> None:
    with psycopg2.connect(database.superuser_dsn) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select rolcanlogin, rolsuper, rolbypassrls from pg_roles where rolname = any(%s)",
            ([role(database, kind) for kind in ("owner", "app", "sealer", "reporting", "auditor")],),
        )
        assert cursor.fetchall() == [(False, False, False)] * 5
        cursor.execute(
            """select distinct tableowner from pg_tables
               where schemaname in ('ledger', 'vault', 'projections', 'schedulers')"""
        )
        assert cursor.fetchall() == [(role(database, "owner"),)]
    connection.close()


@pytest.mark.parametrize("kind", ["reporting", "auditor", "sealer"])
def test_none_but_the_application_opens_the_vault(database: Database, kind: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        execute(getattr(database, f"{kind}_dsn"), "select * from vault.subjects")


@pytest.mark.usefixtures("recorded")
def test_an_auditor_reads_all_of_the_ledger_and_writes_nothing(database: Database) -> None:
    for table in (*GUARDED, "books", "pending", "followers", "parked", "imports", "tracking", "migrations"):
        execute(database.auditor_dsn, f"select * from ledger.{table}")
        for dsn in (database.auditor_dsn, database.reporting_dsn):
            with pytest.raises(errors.InsufficientPrivilege):
                execute(dsn, f"delete from ledger.{table}")
    execute(database.reporting_dsn, "select payload ->> 'topics' from ledger.history")


def test_the_application_writes_views_and_diary_and_cannot_seal(database: Database) -> None:
    execute(database.app_dsn, "delete from projections.limits", "delete from schedulers.diary")
    for table in ("log", "log_nodes", "checkpoints"):
        with pytest.raises(errors.InsufficientPrivilege):
            execute(database.app_dsn, f"insert into ledger.{table} select * from ledger.{table}")
    with pytest.raises(errors.InsufficientPrivilege):
        execute(database.app_dsn, "delete from ledger.pending")
    with pytest.raises(errors.InsufficientPrivilege):
        execute(database.app_dsn, "update ledger.books set origin = 'forged'")
