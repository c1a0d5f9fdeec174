"""One way to connect to Postgres: nothing that is asked of it is waited for without a limit.

A server that is gone without a word is noticed by TCP (keepalives, `tcp_user_timeout`). One that is there and
says nothing, be it frozen or behind something that swallows what it says, is noticed by us: each statement
has a limit, after which its connection is cut. No setting of a session is used, so that a pooler in
transaction mode may stand between; each transaction brings its limits along (`limits_of_a_transaction`).
A word of the DSN goes before what stands here, and so do the variables of libpq.
"""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Event as StopEvent
from threading import Lock, Thread
from time import monotonic
from typing import Any, Final, ParamSpec, TypeVar
from weakref import WeakSet

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED, make_dsn, parse_dsn
from psycopg2.extensions import connection as DriverConnection  # noqa: N812 # a class in all but its name
from psycopg2.extensions import cursor as DriverCursor  # noqa: N812 # as above
from psycopg2.extras import RealDictCursor

TCP: Final[dict[str, int]] = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""Words of the DSN unless it says otherwise: a peer that is gone is noticed within 25 s."""
_VARIABLES: Final = {"connect_timeout": "PGCONNECT_TIMEOUT"}

LOOK_SECONDS: Final = 0.5
"""Between two looks at what is over its limit."""

P = ParamSpec("P")
T = TypeVar("T")


class Connection(DriverConnection):
    """A connection that is cut when what it is asked takes longer than its limit."""

    def __init__(self, dsn: str, *given: Any) -> None:  # noqa: ANN401 # the driver's own
        """Connect. Raises psycopg2.OperationalError."""
        self._lock = Lock()
        self._line: socket.socket | None = None
        self._asked_at: float | None = None
        self.limit_seconds: float | None = None
        """How long each statement may take; None: as long as it likes."""
        super().__init__(dsn, *given)
        self.cursor_factory = _Cursor
        # Of our own: whatever the driver does with its descriptor meanwhile, we cut no other program's.
        self._line = socket.socket(fileno=os.dup(self.fileno()))
        _watched.add(self)
        _watch()

    def within_limit(self, ask: Callable[P, T], *given: P.args, **more: P.kwargs) -> T:
        """Ask the server something, within the limit of this connection.

        A server that went away under way is an OperationalError, as which the driver does not always know it.
        """
        self._asked_at = monotonic()
        try:
            return ask(*given, **more)
        except psycopg2.DatabaseError as error:
            if type(error) is psycopg2.DatabaseError and error.pgcode is None:
                raise psycopg2.OperationalError(str(error)) from error
            raise
        finally:
            self._asked_at = None

    def cut_if_over(self, now: float) -> None:
        """Cut the line if the server owes an answer for longer than the limit."""
        asked_at, limit = self._asked_at, self.limit_seconds
        if asked_at is None or limit is None or now - asked_at <= limit:
            return
        with self._lock, suppress(OSError):  # the other side has hung up already
            if self._line is not None:
                self._line.shutdown(socket.SHUT_RDWR)

    def commit(self) -> None:
        """Commit, within the limit."""
        self.within_limit(super().commit)

    def rollback(self) -> None:
        """Roll back, within the limit."""
        self.within_limit(super().rollback)

    def begin_session(self) -> None:
        """Read what others have committed, and commit each statement, within the limit."""
        self.within_limit(self.set_session, isolation_level=ISOLATION_LEVEL_READ_COMMITTED, autocommit=True)

    def commit_each(self, *, yes: bool) -> None:
        """Commit each statement by itself, or not, within the limit: the driver tells the server of it."""
        self.within_limit(setattr, self, "autocommit", yes)

    def close(self) -> None:
        """Hang up."""
        super().close()
        self._drop_line()

    def _drop_line(self) -> None:
        with self._lock:
            line, self._line = self._line, None
        if line is not None:
            line.close()

    def __del__(self) -> None:
        """Hang up: nobody holds it any more."""
        self._drop_line()


class _Cursor(DriverCursor):
    """Asks within the limit of its connection."""

    connection: Connection

    def execute(self, *given: Any, **more: Any) -> None:  # noqa: ANN401 # the driver's own
        self.connection.within_limit(super().execute, *given, **more)

    def executemany(self, *given: Any, **more: Any) -> None:  # noqa: ANN401 # as above
        self.connection.within_limit(super().executemany, *given, **more)

    def copy_expert(self, *given: Any, **more: Any) -> None:  # noqa: ANN401 # as above
        self.connection.within_limit(super().copy_expert, *given, **more)

    def fetchmany(self, *given: Any, **more: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 # as above
        # Of a named cursor: the next rows are asked of the server.
        return self.connection.within_limit(super().fetchmany, *given, **more)


class DictCursor(_Cursor, RealDictCursor):  # type: ignore[misc] # rows are dictionaries then
    """Gives rows as dictionaries, within the limit of its connection."""


def connect(dsn: str, *, name: str, limit_seconds: float | None = None) -> Connection:
    """Connect, within limits. Raises psycopg2.OperationalError."""
    given = parse_dsn(dsn)
    words = {
        word: value
        for word, value in TCP.items()
        if word not in given and not os.environ.get(_VARIABLES.get(word, ""))
    }
    whole = make_dsn(dsn, application_name=name, client_encoding="UTF8", **words)
    connection = psycopg2.connect(whole, connection_factory=Connection)
    connection.limit_seconds = limit_seconds
    return connection


_watched: WeakSet[Connection] = WeakSet()
_watching = Lock()
_watcher: Thread | None = None


def _watch() -> None:
    """Look after all connections of this process in a thread of its own, started with the first of them."""
    global _watcher  # noqa: PLW0603 # one a process
    with _watching:
        if _watcher is None or not _watcher.is_alive():
            _watcher = Thread(target=_cut_what_is_over, name="connections", daemon=True)
            _watcher.start()


def _cut_what_is_over() -> None:
    pause = StopEvent()
    while not pause.wait(LOOK_SECONDS):
        now = monotonic()
        for connection in list(_watched):
            connection.cut_if_over(now)
