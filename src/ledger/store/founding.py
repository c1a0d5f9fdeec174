"""Founds a ledger's database on a server that is all its own: the database and the logins of its programs.

For the embedded Postgres only; an external one is prepared by whoever runs it (docs/production.md), and
`join_roles` there gives a login that migrates, writes and seals alone what it needs.
"""

from collections.abc import Callable
from contextlib import closing

import psycopg2
from psycopg2 import sql
from psycopg2.errors import DuplicateDatabase

from ledger.store.connecting import connect
from ledger.store.errors import Unreachable
from ledger.store.pool import Connection

DATABASE = "claims_ledger"
MIGRATOR = "claims_ledger_migrator"
WRITER = "claims_ledger_writer"
SEALING = "claims_ledger_sealing"

FOUNDING_LOCK = 7_215_402_113
"""Key of the advisory lock of the transaction that founds, so that two programs do not found at once."""

_LIMIT_IDLE = sql.SQL("alter role {} set idle_in_transaction_session_timeout = '5min'")
"""Whatever holds locks and says nothing is ended by the server, also what is none of our transactions."""

FOUND_SECONDS = 60.0
"""For one statement of these."""


def found(superuser_dsn: str, password: Callable[[str], str]) -> None:
    """Create what is missing of the database and its logins; `password` gives each login's."""
    with closing(_connected(superuser_dsn)) as connection:
        connection.autocommit = False
        with connection, connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", (FOUNDING_LOCK,))
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
                    return  # Another program founded it between our look and our word.


def admit(superuser_dsn: str) -> None:
    """Make the logins members of the roles that the first migration made."""
    with closing(_connected(superuser_dsn)) as connection, connection.cursor() as cursor:
        for login, role in ((WRITER, "app"), (SEALING, "sealer")):
            cursor.execute(
                sql.SQL("grant {} to {}").format(sql.Identifier(f"{DATABASE}_{role}"), sql.Identifier(login))
            )
            cursor.execute(_LIMIT_IDLE.format(sql.Identifier(login)))


def join_roles(dsn: str) -> None:
    """Let the one login of an external database, which migrates, also write and seal."""
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
    """Say whether the ledger's database was founded on a server. Raises Unreachable."""
    with closing(_connected(superuser_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select from pg_database where datname = %s", (DATABASE,))
        return cursor.fetchone() is not None


def is_founded(dsn: str) -> bool:
    """Say whether a login reaches its database: false on a server on which nothing was founded yet."""
    try:
        connection = connect(dsn, name="coverledger", limit_seconds=FOUND_SECONDS)
    except psycopg2.OperationalError:
        return False
    connection.close()
    return True


def _connected(dsn: str) -> Connection:
    try:
        connection = connect(dsn, name="coverledger", limit_seconds=FOUND_SECONDS)
    except psycopg2.OperationalError as error:
        message = (
            f"The database cannot be reached ({' '.join(str(error).split())}): start it, or check the DSN."
        )
        raise Unreachable(message) from error
    connection.autocommit = True
    return connection
