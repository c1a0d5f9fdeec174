"""Books and their clocks, and how the database that holds them is provisioned.

Provisioning is for the embedded Postgres only; an external one is prepared by whoever runs it
(docs/production.md): `join_roles` there gives a login that migrates, writes and seals alone what it needs.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import Final, Literal
from uuid import UUID, uuid4

import psycopg2
from psycopg2 import sql
from psycopg2.errors import DuplicateDatabase

from ledger.store.errors import BookUnknown, DatabaseUnavailable, ImportOpen
from ledger.store.load import BookRow, OpenImport, load
from ledger.store.pool import Connection, Pool, connect

_CREATE: Final = """
with created as (
    insert into ledger.books (book, kind, origin, clock_at) values (%s, %s, %s, %s)
    on conflict (book) do nothing returning book, epoch, origin, created_at
)
insert into ledger.epochs (book, epoch, origin, from_position, begun_at, because)
select book, epoch, origin, 0, created_at, 'created' from created
"""
_TYPE_PREFIX: Final = "select event_type_prefix from ledger.books where book = %s"
_LIST: Final = "select book from ledger.books order by book"
_LOCK: Final = "select import_id::text from ledger.books where book = %s for update"
_SAME_IMPORT: Final = """
select import_id::text from ledger.imports where book = %s and import_id = %s and digest = %s
"""
_OPEN: Final = "insert into ledger.imports (book, import_id, digest) values (%s, %s, %s)"
_HOLD: Final = "update ledger.books set import_id = %s where book = %s"
_CLOSE: Final = """
update ledger.imports set closed_at = clock_timestamp(), outcome = %s
where book = %s and import_id = %s and outcome is null
"""
_FREE: Final = "update ledger.books set import_id = null, held_at = %s where book = %s and import_id = %s"
_MOVE_CLOCK: Final = """
update ledger.books set clock_at = greatest(clock_at, %s) where book = %s and kind = 'simulated'
"""
_HELD: Final = "update ledger.books set held_at = %s where book = %s"


class Books:
    """Rows of the books of one database."""

    def __init__(self, pool: Pool) -> None:
        """`pool` connects as the application."""
        self._pool = pool

    def create(
        self,
        book: str,
        *,
        kind: Literal["real", "simulated"] = "real",
        origin: str,
        clock_at: datetime | None = None,
    ) -> bool:
        """Create a book; False when it exists already, as it was. `clock_at`: a simulated book's present."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_CREATE, (book, kind, origin, clock_at))
            return cursor.rowcount == 1

    def names(self) -> list[str]:
        """Return the names of all books, in order."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_LIST)
            return [name for (name,) in cursor.fetchall()]

    def row(self, book: str) -> BookRow:
        """Read a book's row. Raises BookUnknown."""
        with self._pool.connection() as connection:
            return load(connection, book, (), (), ()).book

    def event_type_prefix(self, book: str) -> str:
        """Read what the types of a book's CloudEvents begin with. Raises BookUnknown."""
        with self._pool.connection() as connection:
            return select_event_type_prefix(connection, book)

    def open_import(self, book: str, digest: bytes) -> OpenImport:
        """Open an import, or go on with the one of the same digest that is open.

        Raises ImportOpen when another import is open, and BookUnknown.
        """
        with self._pool.transaction() as connection, connection.cursor() as cursor:
            cursor.execute(_LOCK, (book,))
            held = cursor.fetchone()
            if held is None:
                raise BookUnknown(book)
            if held[0] is not None:
                cursor.execute(_SAME_IMPORT, (book, held[0], digest))
                if cursor.fetchone() is None:
                    raise ImportOpen(book)
            else:
                import_id = str(uuid4())
                cursor.execute(_OPEN, (book, import_id, digest))
                cursor.execute(_HOLD, (import_id, book))
            opened = load(connection, book, (), (), ()).book.open_import
        if opened is None:
            raise ImportOpen(book)
        return opened

    def finish_import(self, book: str, import_id: UUID, held_at: datetime | None = None) -> bool:
        """Close an import that is done. `held_at`: where it leaves a real book that ended in the past."""
        return self._close(book, import_id, "finished", held_at)

    def abandon_import(self, book: str, import_id: UUID) -> bool:
        """Abandon an open import: what it recorded stays, the book is free again.

        False when it was closed before.
        """
        return self._close(book, import_id, "abandoned", None)

    def move_clock(self, book: str, to: datetime) -> None:
        """Move a simulated book's present; it never goes back."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_MOVE_CLOCK, (to, book))

    def hold(self, book: str, held_at: datetime | None) -> None:
        """Hold the background sweep at an instant, or let it go (None)."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_HELD, (held_at, book))

    def _close(self, book: str, import_id: UUID, outcome: str, held_at: datetime | None) -> bool:
        with self._pool.transaction() as connection, connection.cursor() as cursor:
            cursor.execute(_LOCK, (book,))
            cursor.execute(_CLOSE, (outcome, book, str(import_id)))
            closed = cursor.rowcount == 1
            if closed:
                cursor.execute(_FREE, (held_at, book, str(import_id)))
            return closed


def select_event_type_prefix(connection: Connection, book: str) -> str:
    """Read what the types of a book's CloudEvents begin with. Raises BookUnknown."""
    with connection.cursor() as cursor:
        cursor.execute(_TYPE_PREFIX, (book,))
        row = cursor.fetchone()
    if row is None:
        raise BookUnknown(book)
    return str(row[0])


DATABASE = "claims_ledger"
MIGRATOR = "claims_ledger_migrator"
WRITER = "claims_ledger_writer"
SEALING = "claims_ledger_sealing"

PROVISIONING_LOCK = 7_215_402_113
"""Key of the advisory lock of the transaction that provisions, so that two programs do not do it at once."""

_LIMIT_IDLE = sql.SQL("alter role {} set idle_in_transaction_session_timeout = '5min'")
"""Whatever holds locks and says nothing is ended by the server, also what is none of our transactions."""

PROVISION_SECONDS = 60.0
"""For one statement of these."""


def provision(superuser_dsn: str, password: Callable[[str], str]) -> None:
    """Create what is missing of the database and its logins; `password` gives each login's."""
    with closing(_connected(superuser_dsn)) as connection:
        connection.autocommit = False
        with connection, connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", (PROVISIONING_LOCK,))
            for login, rights in ((MIGRATOR, "createrole"), (WRITER, ""), (SEALING, "")):
                cursor.execute("select from pg_roles where rolname = %s", (login,))
                verb = "alter" if cursor.fetchone() else "create"
                cursor.execute(
                    sql.SQL(f"{verb} role {{}} login {rights} password {{}}").format(
                        sql.Identifier(login), sql.Literal(password(login))
                    )
                )
            cursor.execute("select from pg_database where datname = %s", (DATABASE,))
            missing = cursor.fetchone() is None
        connection.autocommit = True
        if missing:
            with connection.cursor() as cursor:
                try:
                    cursor.execute(
                        sql.SQL("create database {} owner {}").format(
                            sql.Identifier(DATABASE), sql.Identifier(MIGRATOR)
                        )
                    )
                except DuplicateDatabase:
                    return  # Another program provisioned it between our look and our word.


def admit(superuser_dsn: str) -> None:
    """Make the logins members of the roles that the first migration made."""
    with closing(_connected(superuser_dsn)) as connection, connection.cursor() as cursor:
        for login, role in ((WRITER, "app"), (SEALING, "sealer")):
            cursor.execute(
                sql.SQL("grant {} to {}").format(sql.Identifier(f"{DATABASE}_{role}"), sql.Identifier(login))
            )
            cursor.execute(_LIMIT_IDLE.format(sql.Identifier(login)))


def join_roles(dsn: str) -> None:
    """Allow the one login of an external database, which migrates, to write and seal as well."""
    with closing(_connected(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select rolsuper, current_database(), current_user from pg_roles where rolname = current_user"
        )
        superuser, database, login = cursor.fetchone() or (False, "", "")
        if superuser:
            return
        for kind in ("app", "sealer"):
            role = f"{database}_{kind}"
            cursor.execute("select pg_has_role(current_user, %s, 'usage')", (role,))
            (usable,) = cursor.fetchone() or (False,)
            if not usable:
                cursor.execute(sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(login)))
        cursor.execute(_LIMIT_IDLE.format(sql.Identifier(login)))


def has_database(superuser_dsn: str) -> bool:
    """Return whether the ledger's database was provisioned on a server. Raises DatabaseUnavailable."""
    with closing(_connected(superuser_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select from pg_database where datname = %s", (DATABASE,))
        return cursor.fetchone() is not None


def is_provisioned(dsn: str) -> bool:
    """Return whether a login reaches its database: false on a server on which nothing was provisioned yet."""
    try:
        connection = connect(dsn, name="coverledger", limit_seconds=PROVISION_SECONDS)
    except psycopg2.OperationalError:
        return False
    connection.close()
    return True


def _connected(dsn: str) -> Connection:
    try:
        connection = connect(dsn, name="coverledger", limit_seconds=PROVISION_SECONDS)
    except psycopg2.OperationalError as error:
        message = (
            f"The database cannot be reached ({' '.join(str(error).split())}): start it, or check the DSN."
        )
        raise DatabaseUnavailable(message) from error
    connection.autocommit = True
    return connection
