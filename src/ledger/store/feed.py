"""The sealed feed as followers read it, positions in it, and how far each follower has come."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from ledger.domain.identifiers import StreamRef
from ledger.store.canonical import stream_id
from ledger.store.pool import Connection
from ledger.store.sql import compose

_COLUMNS: Final = """l.position, l.sealed_at, e.stream, e.version, e.type, e.schema_version, e.event_id::text,
       e.effective_on, e.at, e.recorded_at, e.actor, e.command_id, e.ordinal, e.correlation_id::text,
       e.causation_id::text, e.payload"""

# Bounded on both sides, so that the plan is a range of the log's key whatever the statistics say. Every
# position of the range is given, that of an event which is missing or filtered out with nulls: so that a gap
# can be told.
_FEED: Final = compose(
    """
select {columns}
from ledger.log l
left join ledger.events e
    on e.book = l.book and e.stream_id = l.stream_id and e.version = l.version {{wanted}}
where l.book = %(book)s and l.position > %(after)s and l.position <= %(last)s
order by l.position
""",
    columns=_COLUMNS,
)

_WANTED: Final = "and e.type = any(%(types)s)"
_FEED_OF_ALL: Final = _FEED.format(wanted="")
_FEED_OF_SOME: Final = _FEED.format(wanted=_WANTED)

_STREAMS: Final = compose(
    """
select {columns}
from ledger.log l
join ledger.events e on e.book = l.book and e.stream_id = l.stream_id and e.version = l.version
where l.book = %s and l.stream_id = any(%s::uuid[]) and l.position <= %s
order by l.position
""",
    columns=_COLUMNS,
)

_END: Final = "select position from ledger.log where book = %s order by position desc limit 1"


class FeedRow(NamedTuple):
    """One row of the feed. Where the event is missing or filtered out, all after `sealed_at` is None."""

    position: int
    sealed_at: datetime
    stream: str
    version: int
    type: str
    schema_version: int
    event_id: str
    effective_on: date
    at: datetime
    recorded_at: datetime
    actor: str
    command_id: str
    ordinal: int
    correlation_id: str
    causation_id: str | None
    payload: memoryview


def select_feed(
    connection: Connection, book: str, after: int, limit: int, types: Collection[str] | None
) -> list[FeedRow]:
    """Read the rows of the `limit` positions above `after`, as far as there are any."""
    parameters = {"book": book, "after": after, "last": after + limit}
    statement = _FEED_OF_ALL
    if types is not None:
        statement = _FEED_OF_SOME
        parameters["types"] = sorted(types)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [FeedRow._make(row) for row in cursor.fetchall()]


def select_streams(
    connection: Connection, book: str, streams: Sequence[StreamRef], position: int
) -> list[FeedRow]:
    """Read the sealed rows of these streams up to and including a position, in order of position."""
    with connection.cursor() as cursor:
        cursor.execute(_STREAMS, (book, [str(stream_id(book, stream)) for stream in streams], position))
        return [FeedRow._make(row) for row in cursor.fetchall()]


def feed_end(connection: Connection, book: str) -> int:
    """Position of the last sealed event; -1 while nothing is sealed."""
    with connection.cursor() as cursor:
        cursor.execute(_END, (book,))
        found = cursor.fetchone()
    return int(found[0]) if found else -1


_POSITIONS: Final = """
select l.stream_id::text, l.version, l.position
from unnest(%(streams)s::uuid[], %(versions)s::integer[]) as wanted (stream_id, version)
join ledger.log l on l.book = %(book)s and l.stream_id = wanted.stream_id and l.version = wanted.version
"""
_VERSION: Final = """
select version from ledger.log where book = %s and stream_id = %s and position <= %s
order by version desc limit 1
"""


_LAST: Final = """
select stream_id::text, max(position) from ledger.log
where book = %s and stream_id = any(%s::uuid[]) and position <= %s group by stream_id
"""


class EventVersion(NamedTuple):
    """One event by the id of its stream and its version there."""

    stream_id: str
    version: int


def select_positions(
    connection: Connection, book: str, places: Sequence[EventVersion]
) -> Mapping[EventVersion, int]:
    """Return the positions of these events; those that have none yet are left out."""
    wanted = {
        "book": book,
        "streams": [place.stream_id for place in places],
        "versions": [place.version for place in places],
    }
    with connection.cursor() as cursor:
        cursor.execute(_POSITIONS, wanted)
        return {EventVersion(stream, version): int(position) for stream, version, position in cursor}


def last_positions(
    connection: Connection, book: str, streams: Collection[StreamRef], position: int
) -> Mapping[StreamRef, int]:
    """Return the position of each stream's last event, up to a position; -1 where there is none."""
    ids = {str(stream_id(book, stream)): stream for stream in streams}
    with connection.cursor() as cursor:
        cursor.execute(_LAST, (book, list(ids), position))
        return dict.fromkeys(streams, -1) | {ids[found]: int(last) for found, last in cursor.fetchall()}


def version_at(connection: Connection, book: str, stream: StreamRef, position: int) -> int | None:
    """Return the version that a stream has reached at a position of the feed; None before its first."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, (book, str(stream_id(book, stream)), position))
        found = cursor.fetchone()
    return int(found[0]) if found else None


_POSITION: Final = "select position from ledger.followers where book = %s and name = %s"
_BEGIN: Final = """
insert into ledger.followers (book, name, position) values (%s, %s, -1) on conflict (book, name) do nothing
"""
_LOCK: Final = f"{_POSITION} for update"
_MOVE: Final = (
    "update ledger.followers set position = %s, moved_at = clock_timestamp() where book = %s and name = %s"
)
_BEHIND: Final = """
select l.position <> coalesce(
    (select position from ledger.followers where book = %(book)s and name = %(name)s), -1
)
from (
    select coalesce(max(position), -1) as position from ledger.log where book = %(book)s
) as l
"""

_PARK: Final = """
insert into ledger.parked as known (book, follower, position, stream, version, event_id, type, error)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (book, follower, position) do update
    set error = excluded.error, attempts = known.attempts + 1, parked_at = clock_timestamp()
"""
_PARKED: Final = """
select position, stream, version, event_id::text, type, error, attempts from ledger.parked
where book = %s and follower = %s order by position
"""
_PARKED_STREAMS: Final = """
select stream, min(position) from ledger.parked where book = %s and follower = %s group by stream
"""
_STANDINGS: Final = "select name, position from ledger.followers where book = %s"
# Locked in one order, so that two programs that do the same never wait for each other.
_LEAVE_BEHIND: Final = """
with passing as (
    select name from ledger.followers
    where book = %(book)s and name = any(%(names)s) and position >= %(after)s and position < %(last)s
    order by name for update
)
update ledger.followers f set position = %(last)s, moved_at = clock_timestamp()
from passing where f.book = %(book)s and f.name = passing.name
"""
_UNPARK_ALL: Final = "delete from ledger.parked where book = %s and follower = %s"
_UNPARK: Final = "delete from ledger.parked where book = %s and follower = %s and position = %s"


class Parked(NamedTuple):
    """An event that a follower could not take, and why."""

    position: int
    stream: str
    version: int
    event_id: UUID
    type: str
    error: str
    attempts: int = 1


def checkpoint(connection: Connection, book: str, name: str) -> int:
    """Position of the last event that took effect; -1 before the first."""
    with connection.cursor() as cursor:
        cursor.execute(_POSITION, (book, name))
        found = cursor.fetchone()
    return int(found[0]) if found else -1


def lock_checkpoint(connection: Connection, book: str, name: str) -> int:
    """Lock a follower's checkpoint until the transaction ends, making it where there is none yet."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, (book, name))
        found = cursor.fetchone()
        if found is None:
            cursor.execute(_BEGIN, (book, name))
            cursor.execute(_LOCK, (book, name))
            [found] = cursor.fetchall()
    return int(found[0])


def move_checkpoint(connection: Connection, book: str, name: str, position: int) -> None:
    """Move a locked checkpoint."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, (position, book, name))


def is_behind(connection: Connection, book: str, name: str) -> bool:
    """Return whether a checkpoint stands elsewhere than at the feed's end; locks nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_BEHIND, {"book": book, "name": name})
        return cursor.fetchone() != (False,)


def park(connection: Connection, book: str, follower: str, parked: Parked) -> None:
    """Keep an event that a follower could not take; once more, if it was kept before."""
    with connection.cursor() as cursor:
        cursor.execute(
            _PARK,
            (
                book,
                follower,
                parked.position,
                parked.stream,
                parked.version,
                str(parked.event_id),
                parked.type,
                parked.error,
            ),
        )


def parked_events(connection: Connection, book: str, follower: str) -> Sequence[Parked]:
    """All that is parked of one follower, by position."""
    with connection.cursor() as cursor:
        cursor.execute(_PARKED, (book, follower))
        return [Parked._make((*row[:3], UUID(row[3]), *row[4:])) for row in cursor.fetchall()]


def parked_streams(connection: Connection, book: str, follower: str) -> dict[str, int]:
    """Return the streams of which one follower has parked events, each with the first one's position."""
    with connection.cursor() as cursor:
        cursor.execute(_PARKED_STREAMS, (book, follower))
        return {stream: int(position) for stream, position in cursor}


def checkpoints(connection: Connection, book: str) -> dict[str, int]:
    """Return the position of every follower that has begun, by name."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDINGS, (book,))
        return {name: int(position) for name, position in cursor}


def pass_over(connection: Connection, book: str, names: Sequence[str], after: int, last: int) -> None:
    """Move the checkpoints of followers for whom there is nothing from `after` up to and including `last`.

    Those that stand elsewhere meanwhile, and those that have not begun, stay where they are.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LEAVE_BEHIND, {"book": book, "names": list(names), "after": after, "last": last})


def unpark(connection: Connection, book: str, follower: str, position: int) -> None:
    """Forget that an event was parked: it has taken effect."""
    with connection.cursor() as cursor:
        cursor.execute(_UNPARK, (book, follower, position))


def unpark_all(connection: Connection, book: str, follower: str) -> None:
    """Forget all that a follower had parked: it starts over."""
    with connection.cursor() as cursor:
        cursor.execute(_UNPARK_ALL, (book, follower))
