"""What stands outside the log: events that wait for their position, and those that nobody recorded."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from ledger.feed.verification.fault import NotVerified
from ledger.feed.verification.row_check import what_is_wrong
from ledger.feed.verification.rows import EVENT_COLUMNS, EventBefore, event_columns
from ledger.store.pool import Connection
from ledger.store.sealing import UnsealedEvent, unpack

_EVENT_BYTES: Final = 52
_PAGE: Final = 500
_PENDING: Final = (
    "select ticket, events from ledger.pending where book = %s and ticket > %s order by ticket limit %s"
)
_WAITING: Final = f"""
select w.number, l.position, p.leaf_hash, pl.position, {EVENT_COLUMNS}
from unnest(%(streams)s::uuid[], %(versions)s::integer[]) with ordinality as w (stream_id, version, number)
left join ledger.events e on e.book = %(book)s and e.stream_id = w.stream_id and e.version = w.version
left join ledger.log l on l.book = %(book)s and l.stream_id = w.stream_id and l.version = w.version
left join ledger.events p on p.book = %(book)s and p.stream_id = w.stream_id and p.version = w.version - 1
left join ledger.log pl on pl.book = %(book)s and pl.stream_id = w.stream_id and pl.version = w.version - 1
order by w.number
"""  # noqa: S608 # put together from its own constants
_COUNTS: Final = """
select (select count(*) from ledger.log where book = %(book)s),
    (select count(*) from ledger.events where book = %(book)s)
"""
_OUTSIDE: Final = """
select e.stream, e.version, e.stream_id::text from ledger.events e
where e.book = %s
    and not exists (
        select from ledger.log l
        where l.book = e.book and l.stream_id = e.stream_id and l.version = e.version
    )
order by e.recorded_at, e.stream, e.version
"""
_STRAY_POSITION: Final = (
    "select position from ledger.log where book = %s and position < 0 order by position limit 1"
)


class Waiting(NamedTuple):
    """Events that wait for their position."""

    events: int
    since: datetime | None
    """When the first of them was recorded."""


def check_outside(connection: Connection, book: str, size: int) -> Waiting:
    """Check what stands outside a log of `size` events, which was found sound; gives what waits.

    Raises NotVerified.
    """
    waiting: set[tuple[str, int]] = set()
    since: list[datetime] = []
    for page in _pages(connection, book):
        since += _check_waiting(connection, book, page)
        waiting.update((str(UUID(bytes=event.place.stream_id)), event.place.version) for event in page)
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"book": book})
        [(sealed, recorded)] = cursor.fetchall()
        if sealed != size:
            cursor.execute(_STRAY_POSITION, (book,))
            stray = cursor.fetchone()
            row = "ledger.log" if stray is None else f"ledger.log, position {stray[0]}"
            raise NotVerified(None, row, f"{sealed} rows stand for {size} positions: one was put in")
        if recorded == size + len(waiting):
            return Waiting(len(waiting), min(since, default=None))
        cursor.execute(_OUTSIDE, (book,))
        for stream, version, stream_id in cursor:
            if (stream_id, version) not in waiting:
                reason = (
                    "it stands neither in the log nor among those that wait: it was put in, or what "
                    "waits was deleted"
                )
                raise NotVerified(None, f"ledger.events, {stream} version {version}", reason)
    reason = f"it has {recorded} events, but {size} are sealed and {len(waiting)} wait"
    raise NotVerified(None, "ledger.events", reason)


def _pages(connection: Connection, book: str) -> Iterator[list[UnsealedEvent]]:
    """Give the events that wait, commit by commit, some hundred commits at a time."""
    after = -1
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_PENDING, (book, after, _PAGE))
            rows = cursor.fetchall()
        if not rows:
            return
        after = rows[-1][0]
        for ticket, events in rows:
            if not len(events) or len(events) % _EVENT_BYTES:
                reason = f"it has {len(events)} bytes, which are no events: it was altered"
                raise NotVerified(None, f"ledger.pending, ticket {ticket}", reason)
        yield [event for _, events in rows for event in unpack(bytes(events))]


def _check_waiting(connection: Connection, book: str, events: Sequence[UnsealedEvent]) -> Iterator[datetime]:
    """Check events that wait; gives when each was recorded."""
    wanted = {
        "book": book,
        "streams": [str(UUID(bytes=event.place.stream_id)) for event in events],
        "versions": [event.place.version for event in events],
    }
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, wanted)
        for number, position, prev, prev_position, *columns in cursor:
            place, leaf_hash = events[number - 1]
            stands = event_columns(columns)
            if stands is None:
                row = f"ledger.pending, stream {UUID(bytes=place.stream_id)} version {place.version}"
                raise NotVerified(
                    None, row, "ledger.events has no such event: it was deleted, or never recorded"
                )
            if position is not None:
                raise NotVerified(
                    position, stands.row, "it still waits for a position, but the log has it already"
                )
            where = "not sealed yet" if prev_position is None else f"position {prev_position}"
            before = None if prev is None else EventBefore(bytes(prev), where)
            wrong = what_is_wrong(book, stands, leaf_hash, before)
            if wrong:
                raise NotVerified(None, f"{stands.row}, not sealed yet", wrong)
            yield datetime.fromisoformat(stands.recorded_at)
