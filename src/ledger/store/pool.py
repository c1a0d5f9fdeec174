"""Connections to Postgres, kept and lent out. Safe behind a pooler in transaction mode: no session state."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Condition
from time import monotonic
from typing import Final, Self

import psycopg2
from psycopg2.extensions import (
    TRANSACTION_STATUS_IDLE,
)

from ledger.store.connecting import Connection, connect
from ledger.store.errors import Unreachable

__all__ = ["PATIENT", "SERVING", "Connection", "Limits", "Pool", "in_transaction"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is waited for what, in seconds."""

    statement: float
    """For the answer to one statement; the connection is cut then."""
    lock: float
    """For a lock, in a transaction."""
    idle: float
    """By the server, for the next statement of a transaction: it may hold locks that others wait for, and its
    program may be gone without a word."""

    @property
    def of_a_transaction(self) -> str:
        """The statement that a transaction begins with; it ends with the transaction, pooler or not."""
        return (
            f"set local idle_in_transaction_session_timeout = {_milliseconds(self.idle)};"
            f"set local lock_timeout = {_milliseconds(self.lock)};"
            f"set local statement_timeout = {_milliseconds(self.statement)}"
        )


PATIENT: Final = Limits(statement=3600.0, lock=60.0, idle=3600.0)
"""Of a command, which somebody waits for and may break off, and of long work on a whole book."""
SERVING: Final = Limits(statement=30.0, lock=10.0, idle=30.0)
"""Of `up`, which is to go on by itself."""


def _milliseconds(seconds: float) -> int:
    return max(1, round(1000 * seconds))


class Pool:
    """At most `size` connections to one database, opened when needed, lent to one user at a time.

    A connection that broke is dropped when it comes back, and those that idle with it: mostly the server went
    away under all of them. Threads may share a pool; processes may not.
    """

    def __init__(
        self,
        dsn: str,
        *,
        size: int = 16,
        wait_seconds: float = 30.0,
        name: str = "coverledger",
        limits: Limits = PATIENT,
    ) -> None:
        """`wait_seconds`: how long a borrower waits for a free connection before `Unreachable`."""
        self.dsn = dsn
        self.limits = limits
        self._size = size
        self._wait_seconds = wait_seconds
        self._name = name
        self._idle: list[Connection] = []
        self._lent: set[Connection] = set()
        self._open = 0
        self._closed = False
        self._returned = Condition()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection on which every statement is its own transaction. Raises `Unreachable`."""
        connection = self._borrow()
        try:
            with self._returned:
                self._lent.add(connection)
                connection.limit_seconds = self.limits.statement
            yield connection
        finally:
            self._take_back(connection)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Lend a connection for one READ COMMITTED transaction, which any error rolls back."""
        with self.connection() as connection:
            connection.commit_each(yes=False)
            try:
                with connection.cursor() as cursor:
                    cursor.execute(self.limits.of_a_transaction)
                yield connection
                connection.commit()
            finally:
                if not connection.closed:
                    _leave_transaction(connection)

    def hurry(self, seconds: float) -> None:
        """From now on no statement may take longer than so many seconds, those under way included."""
        self.limits = replace(self.limits, statement=seconds)
        with self._returned:
            for connection in self._lent:
                connection.limit_seconds = seconds

    def close(self) -> None:
        """Close what is idle now and what is lent out when it comes back; nothing is lent any more."""
        with self._returned:
            self._closed = True
            idle, self._idle = self._idle, []
            self._open -= len(idle)
            self._returned.notify_all()
        for connection in idle:
            connection.close()

    def __enter__(self) -> Self:
        """Use the pool until the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the pool."""
        self.close()

    def _borrow(self) -> Connection:
        until = monotonic() + self._wait_seconds
        with self._returned:
            while not self._closed:
                if self._idle:
                    return self._idle.pop()
                if self._open < self._size:
                    self._open += 1
                    break
                if not self._returned.wait(until - monotonic()):
                    waited = f"{self._wait_seconds:g} s"
                    message = f"no database connection came free in {waited}: all {self._size} are in use"
                    raise Unreachable(message)
            else:
                message = "the pool of database connections is closed"
                raise Unreachable(message)
        try:
            return self._connect()
        except BaseException:
            with self._returned:
                self._open -= 1
                self._returned.notify()
            raise

    def _connect(self) -> Connection:
        try:
            connection = connect(self.dsn, name=self._name, limit_seconds=self.limits.statement)
            connection.begin_session()
        except psycopg2.OperationalError as error:
            reason = " ".join(str(error).split())
            message = (
                f"the ledger's database cannot be reached ({reason}): start it, or check COVERLEDGER_DSN"
            )
            raise Unreachable(message) from error
        return connection

    def _take_back(self, connection: Connection) -> None:
        dropped: list[Connection] = []
        with self._returned:
            self._lent.discard(connection)
            if connection.closed:
                dropped, self._idle = [connection, *self._idle], []
            elif self._closed or in_transaction(connection):
                dropped = [connection]
            else:
                self._idle.append(connection)
            self._open -= len(dropped)
            self._returned.notify(max(1, len(dropped)))
        for one in dropped:
            one.close()


def in_transaction(connection: Connection) -> bool:
    """Say whether a transaction is open, in good order or failed."""
    return connection.info.transaction_status != TRANSACTION_STATUS_IDLE


def _leave_transaction(connection: Connection) -> None:
    """Roll back what is still open.

    A connection that cannot even do that is closed, so that nobody gets it.
    """
    try:
        connection.rollback()
        connection.commit_each(yes=True)
    except psycopg2.Error:
        connection.close()
