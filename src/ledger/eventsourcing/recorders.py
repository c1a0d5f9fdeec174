"""Recorders for `eventsourcing`, on psycopg2: no table is locked, no NOTIFY is sent.

An application's sequence is the feed: notification id = position + 1, once sealed. With inline sealing an
insert returns the ids of what it inserted; without, it returns None and the sealer gives the positions later.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event as StopEvent
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg2
from eventsourcing import persistence
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    DatabaseError,
    IntegrityError,
    OperationalError,
    ProcessRecorder,
    Subscription,
    Tracking,
    TrackingRecorder,
)

from ledger.eventsourcing.mapper import Envelope, Notification, StoredEvent
from ledger.store.append import Leaves, Statement, append_statement, recording
from ledger.store.errors import (
    CommandExists,
    DatabaseRefused,
    DatabaseUnavailable,
    ImportOpen,
    OutcomeUnknown,
    VersionConflict,
)
from ledger.store.events import CommandAnswer, Commit
from ledger.store.keys import SubjectKey
from ledger.store.load import first_answer, load
from ledger.store.pool import Connection, Pool
from ledger.store.sealing import any_pending, seal_batch
from ledger.store.sql import compose

POLL_SECONDS: Final = 0.05
PAGE_NOTIFICATIONS: Final = 500
SEALED_AT_ONCE: Final = 1_000
ACTOR: Final = "eventsourcing"
"""Actor of what is recorded without one."""

_ENVELOPE: Final = """e.stream_id::text, e.version, e.type, e.payload, e.stream, e.schema_version,
e.event_id::text, e.effective_on, e.at, e.command_id, e.actor, e.correlation_id::text, e.causation_id::text,
e.recorded_at, e.ordinal"""

_EVENTS: Final = compose(
    """
select {envelope} from ledger.events e
where e.book = %(book)s and e.stream_id = %(stream_id)s
  and e.version > coalesce(%(gt)s, -1) and e.version <= coalesce(%(lte)s, 2147483647)
order by e.version {{direction}} limit %(limit)s
""",
    envelope=_ENVELOPE,
)

_NOTIFICATIONS: Final = compose(
    """
select l.position + 1, {envelope} from ledger.log l
join ledger.events e on e.book = l.book and e.stream_id = l.stream_id and e.version = l.version
where l.book = %(book)s and l.position >= %(first)s and l.position <= coalesce(%(last)s, 9223372036854775807)
  and (%(topics)s::text[] is null or e.type = any (%(topics)s::text[]))
order by l.position limit %(limit)s
""",
    envelope=_ENVELOPE,
)

_POSITIONS: Final = """
select l.position + 1
from unnest(%s::uuid[], %s::integer[]) with ordinality as wanted (stream_id, version, number)
join ledger.log l on l.book = %s and l.stream_id = wanted.stream_id and l.version = wanted.version
order by wanted.number
"""

_MAX: Final = "select max(position) + 1 from ledger.log where book = %s"

_HEADS: Final = """
select clock_timestamp(), e.stream_id::text, e.version, e.leaf_hash
from (values (1)) as one
left join ledger.events e on e.book = %s
    and (e.stream_id, e.version) in (select * from unnest(%s::uuid[], %s::integer[]))
"""

_TRACK: Final = """
with moved as (
    insert into ledger.tracking as known (book, application_name, notification_id) values (%s, %s, %s)
    on conflict (book, application_name) do update set notification_id = excluded.notification_id
        where known.notification_id < excluded.notification_id
    returning 1
)
select ledger.demand(count(*) = 1, 'CLT01', 'this notification or a later one is tracked already')
from moved
"""
_ALREADY_TRACKED: Final = "CLT01"
_TRACKED: Final = "select notification_id from ledger.tracking where book = %s and application_name = %s"


class _Recorder:
    """What all recorders of one book share."""

    def __init__(self, pool: Pool, book: str, *, prepares: bool = False) -> None:
        """Record in `book` through `pool`. `prepares`: connections may keep prepared statements."""
        self._pool = pool
        self._book = book
        self._prepares = prepares

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Lend a connection and tell in `eventsourcing`'s words what goes wrong."""
        try:
            with self._pool.connection() as connection:
                yield connection
        except (VersionConflict, CommandExists) as error:
            raise IntegrityError(str(error)) from error
        except (DatabaseUnavailable, OutcomeUnknown) as error:
            raise OperationalError(str(error)) from error
        except DatabaseRefused as error:
            if error.pgcode == _ALREADY_TRACKED:
                raise IntegrityError(str(error)) from error
            raise DatabaseError(str(error)) from error
        except psycopg2.Error as error:
            if error.pgcode == _ALREADY_TRACKED:
                raise IntegrityError(str(error)) from error
            if isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError)):
                raise OperationalError(str(error)) from error
            raise DatabaseError(str(error)) from error


class LedgerAggregateRecorder(_Recorder, AggregateRecorder):
    """Streams alone: what it records waits for the sealer."""

    def insert_events(
        self,
        stored_events: Sequence[persistence.StoredEvent],
        **kwargs: Any,  # noqa: ANN401  # as `eventsourcing` declares it
    ) -> Sequence[int] | None:
        """Record events, whole or not at all. Raises IntegrityError when a version or a command is on record.

        Keywords: `answer` (CommandAnswer, recorded in the same transaction), `tracking` (Tracking).
        """
        self._insert(stored_events, kwargs.get("answer"), kwargs.get("tracking"))
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Read a stream, or the part of it between versions."""
        statement = _EVENTS.format(direction="desc" if desc else "asc")
        wanted = {"book": self._book, "stream_id": str(originator_id), "gt": gt, "lte": lte, "limit": limit}
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(statement, wanted)
            return [StoredEvent(*_event(row)) for row in cursor.fetchall()]

    def answer_of(self, sender: str, command_id: str) -> str | None:
        """Return what a command was answered, None when it is not on record."""
        with self._connection() as connection:
            first = first_answer(connection, self._book, sender, command_id)
        return None if first is None else first.answer

    def _insert(
        self,
        stored_events: Sequence[persistence.StoredEvent],
        answer: CommandAnswer | None,
        tracking: Tracking | None,
    ) -> None:
        if not stored_events and answer is None and tracking is None:
            return
        with self._connection() as connection:
            now, leaves = self._heads(connection, stored_events)
            command_id = str(uuid4())
            events = [
                event if isinstance(event, StoredEvent) else _enveloped(event, now, command_id)
                for event in stored_events
            ]
            commit = Commit(self._book, (), {}, (answer,) if answer is not None else (), now)
            statement = append_statement(commit, events, leaves, {})
            if tracking is not None:
                statement.add(_TRACK, self._book, tracking.application_name, tracking.notification_id)
            _run(connection, commit, statement)

    def _heads(
        self, connection: Connection, stored_events: Sequence[persistence.StoredEvent]
    ) -> tuple[datetime, Leaves]:
        """Read the time and the leaf hashes that the events' leaves are chained to."""
        wanted = [(str(event.originator_id), event.originator_version - 1) for event in stored_events]
        with connection.cursor() as cursor:
            cursor.execute(
                _HEADS, (self._book, [stream for stream, _ in wanted], [version for _, version in wanted])
            )
            found = cursor.fetchall()
        leaves = {(UUID(row[1]), row[2]): bytes(row[3]) for row in found if row[1] is not None}
        return found[0][0].astimezone(UTC), leaves


_USUAL_EVENTS: Final = 8
"""Events of a commit, at most, for which statements are kept: each number of events is a text of its own."""


def _is_usual(commit: Commit) -> bool:
    """Whether a commit's statements are few enough in kind for a connection to keep them prepared."""
    return len(commit.events) <= _USUAL_EVENTS and len(commit.answers) == 1 and commit.import_id is None


def _run(connection: Connection, commit: Commit, statement: Statement, *, prepares: bool = False) -> None:
    try:
        with recording(connection, commit):
            if prepares:
                statement.run_prepared(connection)
            else:
                statement.run(connection)
    except ImportOpen:
        # The statement cannot tell a held book from none: this raises if there is none.
        load(connection, commit.book, (), (), ())
        raise


class LedgerApplicationRecorder(LedgerAggregateRecorder, ApplicationRecorder):
    """Streams and the feed."""

    def __init__(
        self, pool: Pool, book: str, sealer_pool: Pool | None = None, *, prepares: bool = False
    ) -> None:
        """`sealer_pool`: seal inline, as the role that it connects with; None: leave it to the sealer."""
        super().__init__(pool, book, prepares=prepares)
        self._sealer_pool = sealer_pool

    def insert_events(
        self,
        stored_events: Sequence[persistence.StoredEvent],
        **kwargs: Any,  # noqa: ANN401  # as `eventsourcing` declares it
    ) -> Sequence[int] | None:
        """Record events; their notification ids where they are sealed inline.

        Keywords as of the base; or, of the ledger's own application, what `_record` takes: then the store's
        errors are raised as they are.
        """
        if "commit" in kwargs:
            self._record(stored_events, **kwargs)
            return None
        self._insert(stored_events, kwargs.get("answer"), kwargs.get("tracking"))
        if self._sealer_pool is None:
            return None
        self._seal(self._sealer_pool)
        streams = [str(event.originator_id) for event in stored_events]
        versions = [event.originator_version for event in stored_events]
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(_POSITIONS, (streams, versions, self._book))
            found = [notification_id for (notification_id,) in cursor.fetchall()]
        # Where a predecessor is missing the events wait for it, and have no id yet.
        return found if len(found) == len(stored_events) else None

    def _record(  # noqa: PLR0913  # what a commit of the ledger brings along
        self,
        stored_events: Sequence[Any],
        *,
        commit: Commit,
        leaves: Leaves,
        keys: Mapping[str, SubjectKey],
        connection: Connection | None = None,
        tracking: None = None,
    ) -> None:
        """Record a commit of the ledger in one round trip: it brings what its events are chained to.

        `connection`: within a transaction that is under way. Raises VersionConflict, CommandExists,
        ImportOpen, SubjectKeysMoved, DatabaseUnavailable: nothing was recorded; OutcomeUnknown.
        """
        del tracking
        statement = append_statement(commit, stored_events, leaves, keys)
        if connection is not None:
            _run(connection, commit, statement)
            return
        prepares = self._prepares and _is_usual(commit)
        with self._pool.connection() as own:
            _run(own, commit, statement, prepares=prepares)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Read the feed from `start` to `stop`, at most `limit` notifications, of these topics or of all."""
        first = 0 if start is None else start - 1 if inclusive_of_start else start
        wanted = {
            "book": self._book,
            "first": first,
            "last": None if stop is None else stop - 1,
            "topics": list(topics) or None,
            "limit": limit,
        }
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(_NOTIFICATIONS, wanted)
            return [
                Notification(*event[:4], id=notification_id, envelope=event[4])
                for notification_id, *row in cursor
                for event in (_event(row),)
            ]

    def max_notification_id(self) -> int | None:
        """Return the newest notification's id, None while nothing is sealed."""
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(_MAX, (self._book,))
            [(found,)] = cursor.fetchall()
        return None if found is None else int(found)

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> "Subscription[ApplicationRecorder]":
        """Follow the feed from after `gt`; polling is the truth, no NOTIFY is waited for."""
        return PollingSubscription(self, gt, topics)

    def _seal(self, pool: Pool) -> None:
        while True:
            with pool.connection() as connection:
                if not any_pending(connection, self._book):
                    return
            with pool.transaction() as connection:
                if seal_batch(connection, self._book, SEALED_AT_ONCE).commits == 0:
                    return


class LedgerTrackingRecorder(_Recorder, TrackingRecorder):
    """Positions of others' notification logs, each of which may only go on."""

    def insert_tracking(self, tracking: Tracking) -> None:
        """Record how far another's log was followed. Raises IntegrityError unless it goes on."""
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(_TRACK, (self._book, tracking.application_name, tracking.notification_id))

    def max_tracking_id(self, application_name: str) -> int | None:
        """Return how far another's log was followed."""
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(_TRACKED, (self._book, application_name))
            found = cursor.fetchone()
        return None if found is None else int(found[0])


class LedgerProcessRecorder(LedgerTrackingRecorder, LedgerApplicationRecorder, ProcessRecorder):
    """All of it, in one transaction."""


class PollingSubscription(Subscription[ApplicationRecorder]):
    """Notifications as they are sealed, until it is stopped."""

    def __init__(self, recorder: ApplicationRecorder, gt: int | None, topics: Sequence[str]) -> None:
        """Begin after `gt`."""
        super().__init__(recorder, gt, topics)
        self._page: Iterator[persistence.Notification] = iter(())
        self._stopped = StopEvent()

    def stop(self) -> None:
        """End the iteration, from any thread."""
        super().stop()
        self._stopped.set()

    def __next__(self) -> persistence.Notification:
        """Wait for the next notification."""
        while not self._stopped.is_set():
            for notification in self._page:
                self._last_notification_id = notification.id
                return notification
            page = self._recorder.select_notifications(
                self._last_notification_id or 0,
                PAGE_NOTIFICATIONS,
                topics=self._topics,
                inclusive_of_start=False,
            )
            self._page = iter(page)
            if not page:
                self._stopped.wait(POLL_SECONDS)
        raise StopIteration


def _event(row: Sequence[Any]) -> tuple[UUID, int, str, bytes, Envelope]:
    """Return the fields of a stored event, as its class takes them."""
    envelope = Envelope(
        stream=row[4],
        schema_version=row[5],
        event_id=UUID(row[6]),
        effective_on=row[7],
        at=row[8].astimezone(UTC),
        command_id=row[9],
        actor=row[10],
        correlation_id=UUID(row[11]),
        causation_id=UUID(row[12]) if row[12] else None,
        recorded_at=row[13].astimezone(UTC),
        ordinal=row[14],
    )
    return UUID(row[0]), row[1], row[2], bytes(row[3]), envelope


def _enveloped(event: persistence.StoredEvent, now: datetime, command_id: str) -> StoredEvent:
    """Return an event of another application with an envelope that says as little as is known."""
    stream_id = UUID(str(event.originator_id))
    envelope = Envelope(str(stream_id), 1, uuid4(), now.date(), now, command_id, ACTOR, stream_id)
    return StoredEvent(stream_id, event.originator_version, event.topic, event.state, envelope)
