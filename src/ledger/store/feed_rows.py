"""The feed's rows: sealed events by position."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from ledger.domain.identifiers import StreamRef
from ledger.store.pool import Connection
from ledger.store.streams import stream_id

_COLUMNS: Final = """l.position, l.sealed_at, e.stream, e.version, e.type, e.schema_version, e.event_id::text,
       e.effective_on, e.at, e.recorded_at, e.actor, e.command_id, e.ordinal, e.correlation_id::text,
       e.causation_id::text, e.payload"""

# Bounded on both sides, so that the plan is a range of the log's key whatever the statistics say. Every
# position of the range is given, that of an event which is missing or filtered out with nulls: so that a gap
# can be told.
_FEED: Final = f"""
select {_COLUMNS}
from ledger.log l
left join ledger.events e
    on e.book = l.book and e.stream_id = l.stream_id and e.version = l.version {{wanted}}
where l.book = %(book)s and l.position > %(after)s and l.position <= %(last)s
order by l.position
"""  # noqa: S608 # put together from its own constants

_WANTED: Final = "and e.type = any(%(types)s)"
_FEED_OF_ALL: Final = _FEED.format(wanted="")
_FEED_OF_SOME: Final = _FEED.format(wanted=_WANTED)

_STREAMS: Final = f"""
select {_COLUMNS}
from ledger.log l
join ledger.events e on e.book = l.book and e.stream_id = l.stream_id and e.version = l.version
where l.book = %s and l.stream_id = any(%s::uuid[]) and l.position <= %s
order by l.position
"""  # noqa: S608 # put together from its own constants

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
