"""Connections to Postgres, kept and lent out. Safe behind a pooler in transaction mode: no session state."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from time import monotonic
from typing import Self

import psycopg2
from psycopg2.extensions import (
    ISOLATION_LEVEL_READ_COMMITTED,
    TRANSACTION_STATUS_IDLE,
)
from psycopg2.extensions import (
    connection as Connection,  # noqa: N812 # a class in all but its name
)

from ledger.store.errors import Unreachable

__all__ = ["Connection", "Pool", "in_transaction"]


class Pool:
    """At most `size` connections to one database, opened when needed, lent to one user at a time.

    A connection that broke is dropped when it comes back, and those that idle with it: mostly the server went
    away under all of them. Threads may share a pool; processes may not.
    """

    def __init__(
        self, dsn: str, *, size: int = 16, wait_seconds: float = 30.0, name: str = "claims-ledger"
    ) -> None:
        """`wait_seconds`: how long a borrower waits for a free connection before `Unreachable`."""
        self.dsn = dsn
        self._size = size
        self._wait_seconds = wait_seconds
        self._name = name
        self._idle: list[Connection] = []
        self._open = 0
        self._closed = False
        self._returned = Condition()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection on which every statement is its own transaction. Raises `Unreachable`."""
        connection = self._borrow()
        try:
            yield connection
        finally:
            self._take_back(connection)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Lend a connection for one READ COMMITTED transaction, which any error rolls back."""
        with self.connection() as connection:
            connection.autocommit = False
            try:
                yield connection
                connection.commit()
            finally:
                if not connection.closed:
                    _leave_transaction(connection)

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
            connection = psycopg2.connect(self.dsn, application_name=self._name, client_encoding="UTF8")
        except psycopg2.OperationalError as error:
            reason = " ".join(str(error).split())
            message = (
                f"the ledger's database cannot be reached ({reason}): start it, or check CLAIMS_LEDGER_DSN"
            )
            raise Unreachable(message) from error
        connection.set_session(isolation_level=ISOLATION_LEVEL_READ_COMMITTED, autocommit=True)
        return connection

    def _take_back(self, connection: Connection) -> None:
        dropped: list[Connection] = []
        with self._returned:
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
        connection.autocommit = True
    except psycopg2.Error:
        connection.close()
