"""Brings a database's schema up to date: numbered plain SQL, forward only, applied once under a lock.

Migrations stand in `migrations/` of a checkout, and inside the package when it is installed from a wheel.
Each is one transaction, run as the ledger's owner; its SHA-256 is kept and checked ever after.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.errors import (
    DuplicateFunction,
    DuplicateObject,
    DuplicateSchema,
    DuplicateTable,
    InsufficientPrivilege,
    UniqueViolation,
)

from ledger.store.errors import DatabaseUnavailable, MigrationRefused
from ledger.store.pool import Connection, connect

MIGRATE_SECONDS = 24 * 3600.0
"""For one migration, which may go through a whole large book."""
LOOK_SECONDS = 15.0
"""For a look at what is pending."""

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")

_BOOTSTRAP = """
create schema ledger;
create table ledger.migrations (
    name text collate "C" primary key,
    sha256 text not null,
    applied_at timestamptz not null default now()
)
"""

# Asked of the catalogue alone, which every login may read: somebody else's schema may bear our name.
_IS_OURS = """
select count(*) = 3 from pg_attribute
join pg_class on pg_class.oid = attrelid
join pg_namespace on pg_namespace.oid = relnamespace
where nspname = 'ledger' and relname = 'migrations' and attname in ('name', 'sha256', 'applied_at')
"""

_TABLES = """
select nspname || '.' || relname from pg_class
join pg_namespace on pg_namespace.oid = relnamespace
where relkind in ('r', 'p', 'v', 'm', 'f')
  and nspname not in ('pg_catalog', 'information_schema') and nspname !~ '^pg_(toast|temp)'
  and not exists (
      select from pg_depend
      where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e'
  )
order by 1
"""

# Readers pass, a second migrator waits; gone with the transaction, so poolers do not matter.
_LOCK = "lock table ledger.migrations in exclusive mode"


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file of SQL."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Hash of the text, with line ends as the repository has them."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Schema:
    """What a database holds of the ledger, and of others."""

    database: str
    is_ours: bool
    """Whether the ledger was ever here."""
    pending: Sequence[str]
    """Migrations that are not applied."""
    others: Sequence[str]
    """Tables and views of somebody else, where the ledger never was."""


def migrations(folder: Traversable | None = None) -> Sequence[Migration]:
    """All migrations that this program brings, by number.

    Raises MigrationRefused when two bear one number.
    """
    found = [
        Migration(file.name, file.read_text(encoding="utf-8").replace("\r\n", "\n"))
        for file in (folder or _folder()).iterdir()
        if _NAME.fullmatch(file.name)
    ]
    found.sort(key=lambda migration: migration.name)
    numbers = [migration.name[:4] for migration in found]
    for number in numbers:
        if numbers.count(number) > 1:
            message = f"two migrations bear the number {number}: give one of them the next free number"
            raise MigrationRefused(message)
    return found


def migrate(dsn: str, folder: Traversable | None = None) -> list[str]:
    """Apply what is missing and name what was applied now.

    `dsn`: the role that migrates; it owns the database and may create roles, or is a superuser.
    Raises MigrationRefused when an applied migration is not the one that is here, and DatabaseUnavailable.
    """
    here = migrations(folder)
    applied_now: list[str] = []
    with _connected(dsn, MIGRATE_SECONDS) as connection:
        _bootstrap(connection)
        for migration in here:
            with connection, connection.cursor() as cursor:
                cursor.execute(_LOCK)
                if migration.name in _checked(connection, here):
                    continue
                _act_as_owner(connection)
                cursor.execute(migration.text)
                cursor.execute(
                    "insert into ledger.migrations (name, sha256) values (%s, %s)",
                    (migration.name, migration.sha256),
                )
            applied_now.append(migration.name)
    return applied_now


def schema_of(dsn: str, folder: Traversable | None = None) -> Schema:
    """Look at a database and change nothing in it. Raises MigrationRefused and DatabaseUnavailable."""
    here = migrations(folder)
    with _connected(dsn, LOOK_SECONDS) as connection, connection, connection.cursor() as cursor:
        is_ours = _is_ours(connection)
        applied = _checked(connection, here) if is_ours else {}
        cursor.execute(_TABLES if not is_ours else "select where false")
        return Schema(
            database=str(connection.info.dbname),
            is_ours=is_ours,
            pending=[migration.name for migration in here if migration.name not in applied],
            others=[name for (name,) in cursor.fetchall()],
        )


def pending(dsn: str, folder: Traversable | None = None) -> Sequence[str]:
    """Names of the migrations that are here and not applied.

    Raises MigrationRefused and DatabaseUnavailable.
    """
    return schema_of(dsn, folder).pending


def _folder() -> Traversable:
    packaged = files("ledger") / "migrations"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "migrations"


@contextmanager
def _connected(dsn: str, limit_seconds: float) -> Iterator[Connection]:
    try:
        connection = connect(dsn, name="coverledger migrate", limit_seconds=limit_seconds)
    except psycopg2.OperationalError as error:
        reason = " ".join(str(error).split())
        message = (
            f"the ledger's database cannot be reached ({reason}): start it, or check "
            "COVERLEDGER_MIGRATE_DSN, else COVERLEDGER_DSN"
        )
        raise DatabaseUnavailable(message) from error
    try:
        yield connection
    except InsufficientPrivilege as error:
        message = (
            f"the role that migrates may not ({' '.join(str(error).split())}): "
            "let it own the database and create roles, or migrate as a superuser"
        )
        raise MigrationRefused(message) from error
    except (DuplicateFunction, DuplicateObject, DuplicateSchema, DuplicateTable) as error:
        reason = str(error.diag.message_primary)
        message = f"something else has the ledger's names here ({reason}): give the ledger its own database"
        raise MigrationRefused(message) from error
    finally:
        connection.close()


def _bootstrap(connection: Connection) -> None:
    """Make the table of migrations, once. Two that try at the same moment: the slower finds it made."""
    with connection:
        if _is_ours(connection):
            return
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(_BOOTSTRAP)
    except (DuplicateSchema, UniqueViolation):
        with connection, connection.cursor() as cursor:
            if not _is_ours(connection):
                raise
            cursor.execute(_LOCK)


def _is_ours(connection: Connection) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_IS_OURS)
        return bool(cursor.fetchone() == (True,))


def _act_as_owner(connection: Connection) -> None:
    """Become the owner of the ledger's schema until the transaction ends.

    Before the first migration: stay.
    """
    with connection.cursor() as cursor:
        cursor.execute("select nspowner::regrole::text from pg_namespace where nspname = 'ledger'")
        rows = cursor.fetchall()
        cursor.execute(sql.SQL("set local role ") + sql.SQL(rows[0][0]))  # regrole is quoted by the database


def _checked(connection: Connection, here: Sequence[Migration]) -> Mapping[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("select name, sha256 from ledger.migrations")
        applied: dict[str, str] = dict(cursor.fetchall())
    known = {migration.name: migration.sha256 for migration in here}
    for name, sha256 in sorted(applied.items()):
        if name not in known:
            message = (
                f"the database has the migration {name}, which this program does not know: upgrade the "
                "program"
            )
            raise MigrationRefused(message)
        if known[name] != sha256:
            message = (
                f"the migration {name} is not the one that was applied: put the file back as it was "
                "and write a further migration"
            )
            raise MigrationRefused(message)
    return applied
