"""The store as the application sees it: load in one query, append in one round trip.

An append is several statements in one simple query, which Postgres runs as one transaction. Nothing else is
ever done to events: a correction is a further one (I9).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar
from uuid import UUID

import psycopg2
from psycopg2 import errors

from ledger.domain.dispatch import Needs
from ledger.domain.event import holds_personal_values
from ledger.domain.identifiers import StreamRef
from ledger.store.canonical import instant_text
from ledger.store.errors import (
    CommandExists,
    DatabaseRefused,
    DatabaseUnavailable,
    ImportOpen,
    NothingRecorded,
    OutcomeUnknown,
    SubjectKeysMoved,
    VersionConflict,
)
from ledger.store.events import Appended, CommandAnswer, Commit, EventRow, write_rows
from ledger.store.keys import BookKeys, MasterKeys, SubjectKey, SubjectKeys, content_hmac
from ledger.store.load import FirstAnswer, Loaded, first_answer, load, load_prepared
from ledger.store.pool import Connection, Pool, run_prepared
from ledger.store.vault import open_personal

# The book's name comes from its row, which must be free for whoever commits: else it is null, and null is
# refused. So an import's hold is kept by the statement itself, without a lock of its own and without a round
# trip.
_FREE_BOOK: Final = "(select book from ledger.books where book = %s and import_id is null)"
_HELD_BOOK: Final = "(select book from ledger.books where book = %s and import_id = %s)"

_COMMANDS: Final = (
    "insert into ledger.commands (book, sender, command_id, content_hmac, answer, recorded_at) values "
)
_PENDING: Final = "insert into ledger.pending (book, command_id, events) values "
_EVENTS: Final = f"insert into ledger.events ({', '.join(EventRow._fields)}) values "  # noqa: S608 # our own column names
_EVENT: Final = "(" + ",".join(["%s"] * len(EventRow._fields)) + ")"

_NEW_SUBJECTS: Final = "insert into vault.subjects (book, person, key_id, wrapped, master_id) values "
# Each person's key must stand, and be the one that sealed: whoever erases waits for us, or we see it erased.
_SUBJECTS_STAND: Final = """select ledger.demand(%s = (select count(*) from (
    select from vault.subjects
    where book = %s and wrapped is not null and (person, key_id) in ({keys}) for share
) as standing), 'CLS01', 'a person''s key is gone')"""

_IMPORT_CLOCK: Final = "update ledger.imports set clock_at = %s where book = %s and import_id = %s"
_CLEAR_HOLD: Final = "update ledger.books set held_at = null where book = %s and held_at is not null"

_KEY_GONE: Final = "CLS01"
_MASTER_GONE: Final = "CLS02"  # migration 0011
_PENDING_EVENT_BYTES: Final = 52


class Statement:
    """SQL text and its parameters, put together statement by statement."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._parts: list[str] = []
        self.parameters: list[object] = []

    def add(self, text: str, *parameters: object) -> None:
        """Add a further statement."""
        self._parts.append(text)
        self.parameters.extend(parameters)

    @property
    def text(self) -> str:
        """All statements, as one simple query."""
        return ";".join(self._parts)

    def run(self, connection: Connection) -> None:
        """Run all of them as one simple query, which is parsed and planned for this once."""
        with connection.cursor() as cursor:
            cursor.execute(self.text, self.parameters)

    def run_prepared(self, connection: Connection) -> None:
        """Run all of them as one simple query, each as the connection keeps it prepared."""
        run_prepared(connection, self._parts, self.parameters)


def append_statement(commit: Commit, rows: Sequence[EventRow], keys: Mapping[str, SubjectKey]) -> Statement:
    """Write a commit as one query.

    It takes its locks in an order that all commits share, so none waits in a ring.
    """
    statement = Statement()
    book, parameters = _guarded_book(commit)
    if commit.answers:
        _add_answers(statement, commit, book, parameters)
        book, parameters = "%s", (commit.book,)
    if keys:
        _add_subjects(statement, commit.book, keys)
    if rows:
        packed = b"".join(UUID(row.stream_id).bytes + row.version.to_bytes(4) + row.leaf_hash for row in rows)
        statement.add(f"{_PENDING}({book},%s,%s)", *parameters, rows[0].command_id, hexadecimal(packed))
        add_events(statement, rows)
    if commit.import_clock_at is not None:
        statement.add(_IMPORT_CLOCK, instant_text(commit.import_clock_at), commit.book, str(commit.import_id))
    if commit.clears_hold:
        statement.add(_CLEAR_HOLD, commit.book)
    return statement


def add_events(statement: Statement, rows: Sequence[EventRow]) -> None:
    """Add the rows of `ledger.events`, by stream: two commits that meet wait for each other in one order."""
    values: list[object] = []
    for row in sorted(rows, key=lambda row: row.stream_id):
        values += row[:-3]
        values += (plain_literal(row.payload), plain_literal(row.leaf), hexadecimal(row.leaf_hash))
    statement.add(_EVENTS + ",".join([_EVENT] * len(rows)), *values)


def plain_literal(content: bytes) -> str:
    """Write bytes as a bytea literal: as they stand where they are ASCII text, which halves what is sent."""
    if content.isascii() and b"\x00" not in content:
        return content.decode().replace("\\", "\\\\")
    return hexadecimal(content)


def hexadecimal(content: bytes) -> str:
    """Write bytes as a bytea literal in hexadecimal."""
    return "\\x" + content.hex()


@contextmanager
def recording(connection: Connection, commit: Commit) -> Iterator[None]:
    """Raise in the store's words why a commit was not recorded, or that nobody knows whether it was."""
    try:
        yield
    except errors.UniqueViolation as error:
        raise _taken(error, commit) from error
    except errors.NotNullViolation as error:
        if error.diag.column_name != "book":
            raise DatabaseRefused(str(error), error.pgcode) from error
        raise ImportOpen(commit.book) from error
    except (errors.DeadlockDetected, errors.SerializationFailure) as error:
        raise VersionConflict from error
    except psycopg2.Error as error:
        if error.pgcode in {_KEY_GONE, _MASTER_GONE}:
            raise SubjectKeysMoved from error
        if connection.closed or error.pgcode is None or error.pgcode.startswith("08"):
            message = (
                "the connection broke while a commit was under way: look its command up before trying again"
            )
            raise OutcomeUnknown(message) from error
        raise DatabaseRefused(str(error), error.pgcode) from error


def _guarded_book(commit: Commit) -> tuple[str, tuple[object, ...]]:
    if commit.import_id is None:
        return _FREE_BOOK, (commit.book,)
    return _HELD_BOOK, (commit.book, str(commit.import_id))


def _add_answers(statement: Statement, commit: Commit, book: str, parameters: tuple[object, ...]) -> None:
    recorded_at = instant_text(commit.recorded_at)
    values: list[object] = []
    shapes: list[str] = []
    for answer in sorted(commit.answers, key=_sender_and_id):
        shapes.append(f"({book},%s,%s,%s,%s,%s)")
        values += parameters
        values += (
            answer.sender,
            answer.command_id,
            hexadecimal(answer.content_hmac),
            answer.answer,
            recorded_at,
        )
        book, parameters = "%s", (commit.book,)
    statement.add(_COMMANDS + ",".join(shapes), *values)


def _sender_and_id(answer: CommandAnswer) -> tuple[str, str]:
    return answer.sender, answer.command_id


def _add_subjects(statement: Statement, book: str, keys: Mapping[str, SubjectKey]) -> None:
    used = [keys[person] for person in sorted(keys)]
    fresh = [key for key in used if key.is_new]
    if fresh:
        values: list[object] = []
        for key in fresh:
            values += (
                book,
                key.person,
                str(key.key_id),
                hexadecimal(key.wrapped.wrapped),
                key.wrapped.master_id,
            )
        shapes = ",".join(["(%s,%s,%s,%s,%s)"] * len(fresh))
        statement.add(f"{_NEW_SUBJECTS}{shapes} on conflict (book, person) do nothing", *values)
    pairs: list[object] = []
    for key in used:
        pairs += (key.person, str(key.key_id))
    demanded = _SUBJECTS_STAND.replace("{keys}", ",".join(["(%s,%s::uuid)"] * len(used)))
    statement.add(demanded, len(used), book, *pairs)


def _taken(error: errors.UniqueViolation, commit: Commit) -> Exception:
    """Distinguish a version that was taken from a command id that was."""
    if error.diag.table_name != "commands":
        return VersionConflict()
    detail = error.diag.message_detail or ""
    for answer in commit.answers:
        if f"({commit.book}, {answer.sender}, {answer.command_id})" in detail:
            return CommandExists(answer.sender, answer.command_id)
    first = commit.answers[0]
    return CommandExists(first.sender, first.command_id)


T = TypeVar("T")

_TRIES_WHEN_KEYS_MOVE: Final = 5
_USUAL_EVENTS: Final = 8
"""Events of a commit, at most, for which statements are kept: each number of events is a text of its own."""


class EventStore:
    """Streams of events in Postgres, with the commands' answers and the persons' keys beside them."""

    def __init__(self, pool: Pool, masters: MasterKeys, *, prepares: bool = False) -> None:
        """`masters` wrap each person's data key and each book's own keys.

        `prepares`: connections may keep prepared statements, for they lead to the server without a pooler.
        """
        self._pool = pool
        self._prepares = prepares
        self.subject_keys = SubjectKeys(masters)
        self.book_keys = BookKeys(masters)

    def load(
        self, book: str, needs: Needs, command_id: str | None = None, sender: str | None = None
    ) -> Loaded:
        """Read all that one decision needs, in one query.

        Raises BookUnknown, Unreadable, DatabaseUnavailable.
        """
        claims = (needs.contract_of,) if needs.contract_of is not None else ()
        commands = ((sender, command_id),) if sender is not None and command_id is not None else ()
        return self.load_many(book, needs.streams, claims, commands)

    def load_many(
        self,
        book: str,
        refs: Sequence[StreamRef],
        claims: Sequence[StreamRef] = (),
        commands: Sequence[tuple[str, str]] = (),
    ) -> Loaded:
        """Read what a chunk of an import needs, in one query.

        `claims`: streams whose present contract is wanted as well; `commands`: (sender, command id) pairs.
        Raises BookUnknown, Unreadable, DatabaseUnavailable.
        """
        if self._prepares and len(commands) == 1:
            [command] = commands
            return self._read(lambda connection: load_prepared(connection, book, refs, claims, command))
        return self._read(lambda connection: load(connection, book, refs, claims, commands))

    def append(self, commit: Commit) -> Appended:
        """Record a commit, whole or not at all, in one round trip (one more for personal data).

        Raises VersionConflict, CommandExists, SubjectErased, ImportOpen, DatabaseUnavailable: nothing was
        recorded.
        Raises OutcomeUnknown when the connection broke under way: ask `answer_of`, never guess.
        """
        if not commit.events and not commit.answers:
            message = "a commit needs an event or an answer"
            raise NothingRecorded(message)
        persons = _persons_in(commit)
        with self._pool.connection() as connection:
            for _ in range(_TRIES_WHEN_KEYS_MOVE - 1):
                try:
                    return self._append(connection, commit, persons)
                except SubjectKeysMoved:
                    continue
            return self._append(connection, commit, persons)

    def refuse_erased(self, commit: Commit) -> None:
        """Look whether a commit would record something personal on somebody erased. Raises SubjectErased."""
        persons = _persons_in(commit)
        if persons:
            self._read(lambda connection: self.subject_keys.for_writing(connection, commit.book, persons))

    def answer_of(self, book: str, sender: str, command_id: str) -> FirstAnswer | None:
        """Return the first answer to a command, None when it is not on record. Raises DatabaseUnavailable."""
        return self._read(lambda connection: first_answer(connection, book, sender, command_id))

    def content_hmac(self, book: str, content: bytes) -> bytes:
        """Hash a command's content with the book's own key, made when first used and never changed."""
        key = self.book_keys.opened(book, "content")
        if key is None:
            with self._pool.connection() as connection:
                key = self.book_keys.key(connection, book, "content")
        return content_hmac(key, content)

    def open_personal(
        self, book: str, stream: StreamRef, versions: Sequence[int]
    ) -> Mapping[int, Mapping[str, str]]:
        """Open these versions' personal fields: version → dotted path → clear text, `[erased]` when gone.

        Whoever calls this has made sure of the reader's right and of the access log. Raises Unreadable,
        DatabaseUnavailable.
        """
        return self._read(
            lambda connection: open_personal(connection, self.subject_keys, book, stream, versions)
        )

    def _append(self, connection: Connection, commit: Commit, persons: Collection[str]) -> Appended:
        keys: Mapping[str, SubjectKey] = (
            self.subject_keys.for_writing(connection, commit.book, persons) if persons else {}
        )
        written = write_rows(commit, keys)
        statement = append_statement(commit, written.rows, keys)
        run = statement.run_prepared if self._prepares and _is_usual(commit) else statement.run
        try:
            with recording(connection, commit):
                run(connection)
        except ImportOpen:
            load(
                connection, commit.book, (), (), ()
            )  # The statement cannot tell a held book from none: raises if none.
            raise
        return written.appended

    def _read(self, query: Callable[[Connection], T]) -> T:
        """Run a query, once more on another connection where the first one had died while it idled."""
        try:
            return self._read_once(query)
        except DatabaseUnavailable:
            return self._read_once(query)

    def _read_once(self, query: Callable[[Connection], T]) -> T:
        with self._pool.connection() as connection:
            try:
                return query(connection)
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                raise DatabaseUnavailable.broken(error) from error


def _is_usual(commit: Commit) -> bool:
    """Return whether a commit's statements are few enough in kind for a connection to keep them prepared."""
    return len(commit.events) <= _USUAL_EVENTS and len(commit.answers) == 1 and commit.import_id is None


def _persons_in(commit: Commit) -> frozenset[str]:
    """Return the persons of whom a commit records something personal."""
    return frozenset(
        new.entry.subject
        for new in commit.events
        if new.entry.subject is not None and holds_personal_values(new.entry.event)
    )
