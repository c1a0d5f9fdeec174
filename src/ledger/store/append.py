"""Appending a commit: several statements in one simple query, which Postgres runs as one transaction.

Nothing else is ever done to events: a correction is a further one (I9).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Final
from uuid import UUID

import psycopg2
from psycopg2 import errors

from ledger.store.canonical import instant_text, leaf_bytes, leaf_hash
from ledger.store.errors import (
    CommandExists,
    DatabaseRefused,
    ImportOpen,
    OutcomeUnknown,
    SubjectKeysMoved,
    VersionConflict,
)
from ledger.store.events import Commit
from ledger.store.keys import SubjectKey
from ledger.store.pool import Connection, run_prepared

if TYPE_CHECKING:
    from ledger.eventsourcing.mapper import StoredEvent

Leaves = dict[tuple[UUID, int], bytes]
"""Leaf hashes by stream id and version: the next event of a stream is chained to its last."""

# The book's name comes from its row, which must be free for whoever commits: else it is null, and null is
# refused. So an import's hold is kept by the statement itself, without a lock of its own and without a round
# trip.
_FREE_BOOK: Final = "(select book from ledger.books where book = %s and import_id is null)"
_HELD_BOOK: Final = "(select book from ledger.books where book = %s and import_id = %s)"

_COMMANDS: Final = (
    "insert into ledger.commands (book, sender, command_id, content_hmac, answer, recorded_at) values "
)
_PENDING: Final = "insert into ledger.pending (book, command_id, events) values "
_EVENTS: Final = (
    "insert into ledger.events (book, stream_id, version, stream, event_id, type, schema_version, "
    "effective_on, at, recorded_at, command_id, ordinal, actor, correlation_id, causation_id, payload, leaf, "
    "leaf_hash) values "
)
_EVENT: Final = "(" + ",".join(["%s"] * 18) + ")"

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


def append_statement(
    commit: Commit, events: Sequence["StoredEvent"], leaves: Leaves, keys: Mapping[str, SubjectKey]
) -> Statement:
    """Write a commit, whose events these are, as one query.

    `leaves`: of the events that the first of each stream follows; those of the commit's own are added. `keys`
    sealed what is personal. Locks are taken in an order that all commits share, so none waits in a ring.
    """
    statement = Statement()
    book, parameters = _guarded_book(commit)
    if commit.answers:
        _add_answers(statement, commit, book, parameters)
        book, parameters = "%s", (commit.book,)
    if keys:
        _add_subjects(statement, commit.book, keys)
    if events:
        rows = _rows(commit, events, leaves)
        packed = b"".join(
            event.originator_id.bytes
            + event.originator_version.to_bytes(4)
            + leaves[event.originator_id, event.originator_version]
            for event in events
        )
        first = events[0].envelope.command_id
        statement.add(f"{_PENDING}({book},%s,%s)", *parameters, first, hexadecimal(packed))
        # By stream: two commits that meet wait for each other in one order.
        rows.sort(key=itemgetter(1))
        values = [value for row in rows for value in row]
        statement.add(_EVENTS + ",".join([_EVENT] * len(rows)), *values)
    if commit.import_clock_at is not None:
        statement.add(_IMPORT_CLOCK, instant_text(commit.import_clock_at), commit.book, str(commit.import_id))
    if commit.clears_hold:
        statement.add(_CLEAR_HOLD, commit.book)
    return statement


def _rows(commit: Commit, events: Sequence["StoredEvent"], leaves: Leaves) -> list[tuple[object, ...]]:
    """Write each event's ordinal, leaf and row, chained to its stream's last."""
    ordinals: dict[str, int] = {}
    recorded_at = instant_text(commit.recorded_at)
    rows: list[tuple[object, ...]] = []
    for event in events:
        envelope, stream_id, version = event.envelope, event.originator_id, event.originator_version
        ordinal = ordinals.get(envelope.command_id, 0)
        ordinals[envelope.command_id] = ordinal + 1
        at = instant_text(envelope.at)
        leaf = leaf_bytes(
            book=commit.book,
            event_id=envelope.event_id,
            stream=envelope.stream,
            version=version,
            prev=leaves.get((stream_id, version - 1)),
            type_name=event.topic,
            schema_version=envelope.schema_version,
            effective_on=envelope.effective_on,
            at=at,
            recorded_at=recorded_at,
            actor=envelope.actor,
            command_id=envelope.command_id,
            ordinal=ordinal,
            correlation_id=envelope.correlation_id,
            causation_id=envelope.causation_id,
            payload=event.state,
        )
        leaves[stream_id, version] = leaf_hash(leaf)
        rows.append(
            (
                commit.book,
                str(stream_id),
                version,
                envelope.stream,
                str(envelope.event_id),
                event.topic,
                envelope.schema_version,
                envelope.effective_on.isoformat(),
                at,
                recorded_at,
                envelope.command_id,
                ordinal,
                envelope.actor,
                str(envelope.correlation_id),
                str(envelope.causation_id) if envelope.causation_id else None,
                plain_literal(event.state),
                plain_literal(leaf),
                hexadecimal(leaves[stream_id, version]),
            )
        )
    return rows


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
    for answer in sorted(commit.answers, key=attrgetter("sender", "command_id")):
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
