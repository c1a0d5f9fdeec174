"""What a backup's manifest says of the database, read from the very snapshot that is dumped."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from ledger.store.pool import Connection, Pool, act_as_owner

_BEGIN: Final = "set transaction isolation level repeatable read, read only"
_EXPORT: Final = "select pg_export_snapshot()"
_SERVER: Final = "select current_setting('server_version'), clock_timestamp()::text"
_MIGRATIONS: Final = "select name, sha256 from ledger.migrations order by name"
_BOOKS: Final = """
select b.book, b.epoch, b.origin, coalesce(l.position + 1, 0), c.note
from ledger.books b
left join lateral (
    select position from ledger.log where book = b.book order by position desc limit 1
) as l on true
left join lateral (
    select note from ledger.checkpoints where book = b.book and epoch = b.epoch order by size desc limit 1
) as c on true
order by b.book
"""
_MASTERS: Final = """
select distinct master_id from (
    select master_id from vault.subjects where master_id is not null
    union all select master_id from vault.book_keys
) as wrapped order by master_id
"""
_OTHERS: Final = """
select application_name, count(*) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
group by application_name order by application_name
"""


class BookFound(NamedTuple):
    """One book's log in a snapshot."""

    book: str
    epoch: int
    origin: str
    size: int
    checkpoint: str | None


class Snapshot(NamedTuple):
    """A snapshot that `pg_dump` can be told to dump, and what is in it."""

    name: str
    owner: str
    """The role that owns the ledger's schemas."""
    server_version: str
    taken_at: str
    migrations: dict[str, str]
    """Name → SHA-256."""
    books: list[BookFound]
    master_ids: list[str]
    """Master keys that the vault's keys are wrapped by."""


@contextmanager
def exported_snapshot(pool: Pool) -> Iterator[Snapshot]:
    """Hold a snapshot for as long as it is dumped. `pool` connects as the role that migrates."""
    with pool.transaction() as connection:
        with connection.cursor() as cursor:
            cursor.execute(_BEGIN)
            owner = act_as_owner(connection)
            cursor.execute(_EXPORT)
            [(name,)] = cursor.fetchall()
            cursor.execute(_SERVER)
            [(version, taken_at)] = cursor.fetchall()
            cursor.execute(_MASTERS)
            masters = [master for (master,) in cursor.fetchall()]
            snapshot = Snapshot(
                name,
                owner,
                version,
                taken_at,
                applied_migrations(connection),
                books_found(connection),
                masters,
            )
        yield snapshot


def applied_migrations(connection: Connection) -> dict[str, str]:
    """Read which migrations the schema has, name → SHA-256."""
    with connection.cursor() as cursor:
        cursor.execute(_MIGRATIONS)
        return dict(cursor.fetchall())


def books_found(connection: Connection) -> list[BookFound]:
    """Read how far each book's log is."""
    with connection.cursor() as cursor:
        cursor.execute(_BOOKS)
        return [BookFound._make(row) for row in cursor.fetchall()]


def other_sessions(connection: Connection) -> dict[str, int]:
    """Count who else is connected to the database, by program."""
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS)
        return dict(cursor.fetchall())
