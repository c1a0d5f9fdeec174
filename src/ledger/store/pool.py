"""Connections to Postgres: how they are made, shared and bounded, and the statements prepared on them.

A server that is gone without a word is noticed by TCP (keepalives, `tcp_user_timeout`). One that is there and
says nothing, be it frozen or behind something that swallows what it says, is noticed by us: each statement
has a limit, after which its connection is cut. No setting of a session is used, so that a pooler in
transaction mode may stand between; each transaction brings its limits along (`limits_of_a_transaction`).
A word of the DSN goes before what stands here, and so do the variables of libpq.
"""

import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2s
from threading import Condition, Lock, Thread
from threading import Event as StopEvent
from time import monotonic
from typing import Any, Final, NamedTuple, ParamSpec, Self, TypeVar
from weakref import WeakKeyDictionary, WeakSet

import psycopg2
from psycopg2 import ProgrammingError, extensions, sql
from psycopg2.errors import InsufficientPrivilege, InvalidSqlStatementName
from psycopg2.extensions import (
    ISOLATION_LEVEL_READ_COMMITTED,
    TRANSACTION_STATUS_IDLE,
    make_dsn,
    parse_dsn,
)
from psycopg2.extras import RealDictCursor
from psycopg2.sql import Composable

from ledger.errors import UsageError
from ledger.store.errors import DatabaseUnavailable, NotTheOperator

TCP: Final[dict[str, int]] = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""Words of the DSN unless it says otherwise: a peer that is gone is noticed within 25 s."""
_TIMEOUT_VARIABLES: Final = {"connect_timeout": "PGCONNECT_TIMEOUT"}

LOOK_SECONDS: Final = 0.5
"""Between two looks at what is over its limit."""

Query = str | bytes | Composable
Parameters = Sequence[object] | Mapping[str, object] | None

P = ParamSpec("P")
T = TypeVar("T")


class Connection(extensions.connection):
    """A connection that is cut when what it is asked takes longer than its limit."""

    def __init__(self, dsn: str) -> None:
        """Connect. Raises psycopg2.OperationalError."""
        self._lock = Lock()
        self._line: socket.socket | None = None
        self._asked_at: float | None = None
        self.limit_seconds: float | None = None
        """How long each statement may take; None: as long as it likes."""
        super().__init__(dsn)
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


class _Cursor(extensions.cursor):
    """Asks within the limit of its connection."""

    connection: Connection

    def execute(self, query: Query, parameters: Parameters = None) -> None:
        self.connection.within_limit(super().execute, query, parameters)

    def executemany(self, query: Query, parameters: Iterable[Parameters]) -> None:
        self.connection.within_limit(super().executemany, query, parameters)

    def copy_expert(self, sql: Query, file: Any, size: int = 8192) -> None:  # noqa: ANN401 # the driver's
        self.connection.within_limit(super().copy_expert, sql, file, size)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        # Of a named cursor: the next rows are asked of the server.
        return self.connection.within_limit(super().fetchmany, self.arraysize if size is None else size)


class DictCursor(_Cursor, RealDictCursor):  # type: ignore[misc] # rows are dictionaries then
    """Gives rows as dictionaries, within the limit of its connection."""


def connect(dsn: str, *, name: str, limit_seconds: float | None = None) -> Connection:
    """Connect, within limits. Raises psycopg2.OperationalError."""
    given = parse_dsn(dsn)
    words = {
        word: value
        for word, value in TCP.items()
        if word not in given and not os.environ.get(_TIMEOUT_VARIABLES.get(word, ""))
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
        """`wait_seconds`: how long a borrower waits for a free connection before `DatabaseUnavailable`."""
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
        """Lend a connection on which every statement is its own transaction. Raises `DatabaseUnavailable`."""
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
                    raise DatabaseUnavailable(message)
            else:
                message = "the pool of database connections is closed"
                raise DatabaseUnavailable(message)
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
            raise DatabaseUnavailable(message) from error
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
    """Return whether a transaction is open, in good order or failed."""
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


MOST_SHAPES: Final = 256
"""Texts of which name and numbered form are kept; a text more costs time and nothing else."""

_known: WeakKeyDictionary[extensions.connection, set[str]] = WeakKeyDictionary()
"""Names of what each connection keeps prepared."""

_KNOWN: Final = "select name from pg_prepared_statements"


class _Prepared(NamedTuple):
    name: str
    prepare: str
    execute: str


def execute_prepared(
    cursor: extensions.cursor,
    query: str,
    parameters: Sequence[object] | Mapping[str, object],
    prepares: Mapping[str, str],
) -> None:
    """Run a query made of `execute`s; those that the connection does not know yet are prepared before.

    `prepares`: name → its `prepare`. The connection must lead to the server itself, and be in no transaction.
    Raises what the driver raises.
    """
    known = _known.setdefault(cursor.connection, set())
    if not prepares.keys() <= known:
        # Asked first, not found out by an error: the server would write that into its log.
        _prepare(cursor, prepares, known)
    try:
        cursor.execute(query, parameters)
    except InvalidSqlStatementName:
        # Somebody took them away (`discard all`), so that nothing was done.
        _prepare(cursor, prepares, known)
        cursor.execute(query, parameters)


def _prepare(cursor: extensions.cursor, prepares: Mapping[str, str], known: set[str]) -> None:
    """Prepare what the connection lacks; `known` is what it has then."""
    cursor.execute(_KNOWN)
    known.clear()
    known.update(name for (name,) in cursor.fetchall())
    lacking = [prepare for name, prepare in prepares.items() if name not in known]
    if lacking:
        cursor.execute(";".join(lacking))
        known.update(prepares)


def run_prepared(connection: Connection, texts: Sequence[str], parameters: Sequence[object]) -> None:
    """Run statements as one simple query, so as one transaction, each as the connection keeps it prepared.

    `texts`: with `%s` for each parameter and no other percent sign; `parameters`: theirs, in order. For the
    rest as `execute_prepared`.
    """
    statements = [_prepared(text) for text in texts]
    query = ";".join(statement.execute for statement in statements)
    with connection.cursor() as cursor:
        execute_prepared(cursor, query, parameters, {one.name: one.prepare for one in statements})


@lru_cache(MOST_SHAPES)
def _prepared(text: str) -> _Prepared:
    first, *rest = text.split("%s")
    numbered = first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))
    name = f"ledger_{blake2s(text.encode(), digest_size=8).hexdigest()}"
    given = f"({','.join(['%s'] * len(rest))})" if rest else ""
    return _Prepared(name, f"prepare {name} as {numbered}", f"execute {name}{given}")


_OWNER: Final = "select nspowner::regrole::text from pg_namespace where nspname = 'ledger'"


def act_as_owner(connection: Connection) -> str:
    """Act as the owner of the ledger's schemas until the transaction ends; the role's name, quoted.

    Raises NotTheOperator.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OWNER)
        [(owner,)] = cursor.fetchall()
        try:
            cursor.execute(sql.SQL("set local role ") + sql.SQL(owner))  # regrole is quoted by the database
        except InsufficientPrivilege as error:
            raise NotTheOperator from error
    return str(owner)


_LIBPQ_VARIABLES: Final = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
    "options": "PGOPTIONS",
    "application_name": "PGAPPNAME",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "channel_binding": "PGCHANNELBINDING",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcrl": "PGSSLCRL",
    "gssencmode": "PGGSSENCMODE",
    "krbsrvname": "PGKRBSRVNAME",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}

_OF_A_CONNECTION: Final = frozenset(TCP) - set(_LIBPQ_VARIABLES)
"""Words that have no variable, and say only how soon a peer that is gone is noticed."""


def libpq_environment(dsn: str) -> Mapping[str, str]:
    """Return the variables that lead where the DSN leads. Raises UsageError for a word that has none."""
    try:
        words = parse_dsn(dsn)
    except ProgrammingError as error:
        message = f"The DSN cannot be read ({' '.join(str(error).split())}): put it right."
        raise UsageError(message) from error
    unknown = sorted(set(words) - set(_LIBPQ_VARIABLES) - _OF_A_CONNECTION)
    if unknown:
        message = (
            f"The DSN says {unknown[0]}, which Postgres' own programs take from no variable: leave it out."
        )
        raise UsageError(message)
    return {
        _LIBPQ_VARIABLES[word]: str(value) for word, value in words.items() if word not in _OF_A_CONNECTION
    }
