"""The diary's table: what is kept of each stream, and which streams' time has come."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from psycopg2.extras import execute_values

from ledger.domain.contract.state import Contract
from ledger.domain.deadlines import Deadline
from ledger.domain.dispatch import State
from ledger.domain.identifiers import StreamKind, StreamRef
from ledger.store.canonical import stream_ref
from ledger.store.pool import Connection
from schedulers.diary.entries import Diarised, from_text, to_text
from schedulers.diary.standing import Change

LOAD = "select stream, due_at, memory from schedulers.diary where book = %s and stream = any(%s)"

KEEP = """
insert into schedulers.diary (book, stream, due_at, kinds, memory) values %s
on conflict (book, stream) do update
set due_at = excluded.due_at, kinds = excluded.kinds, memory = excluded.memory
"""
TEMPLATE = "(%s, %s, %s, %s::text[], %s)"
PAGE = 2000
"""Rows in one statement of VALUES."""

NEXT = """
select stream, due_at, kinds from schedulers.diary
where book = %(book)s and due_at is not null
    and (%(until)s::timestamptz is null or due_at <= %(until)s)
order by due_at, stream
"""

DUE = """
select stream, due_at, kinds from schedulers.diary
where book = %(book)s and due_at <= %(until)s and (due_at, stream) > (%(after_at)s, %(after_stream)s)
order by due_at, stream
limit %(limit)s
"""

STATES = "select stream, memory from schedulers.diary where book = %s and stream like %s order by stream"

NEXT_AFTER = "select min(due_at) from schedulers.diary where book = %s and due_at > %s"

DROP = """
delete from schedulers.diary where book = %(book)s;
delete from schedulers.deadlines where book = %(book)s
"""

_STANDING_COLUMNS: Final = "stream, kind, rule, seq, raw_due_on, due_on, alert_on, status"
STRIKE = "delete from schedulers.deadlines where book = %s and stream = any(%s)"
STAND = f"insert into schedulers.deadlines (book, {_STANDING_COLUMNS}) values %s"  # noqa: S608  # own constants
STANDING = f"""
select {_STANDING_COLUMNS} from schedulers.deadlines
where book = %(book)s
    and (%(kinds)s::text[] is null or kind = any(%(kinds)s))
    and (%(due_until)s::date is null or due_on <= %(due_until)s)
    and (%(alert_until)s::date is null or alert_on <= %(alert_until)s)
order by due_on, stream, kind, seq
"""  # noqa: S608  # own constants

COUNT = "select count(*) from schedulers.diary where book = %s and due_at <= %s"


class Appointment(NamedTuple):
    """A stream, and the instant (UTC) at which time will owe it something."""

    stream: StreamRef
    due_at: datetime
    kinds: tuple[str, ...]
    """Deadlines that take effect then."""


def kept(connection: Connection, book: str, streams: Collection[StreamRef]) -> dict[StreamRef, Diarised]:
    """Give what the diary holds of these streams; those that it does not know are left out."""
    with connection.cursor() as cursor:
        cursor.execute(LOAD, (book, [stream.name for stream in streams]))
        found = [(stream_ref(name), due_at, memory) for name, due_at, memory in cursor]
    return {stream: from_text(stream, due_at, memory) for stream, due_at, memory in found}


def keep(connection: Connection, book: str, diarised: Mapping[StreamRef, Diarised]) -> None:
    """Write down what is known of these streams now. Commits nothing."""
    rows = [
        (book, stream.name, entry.due_at, entry.kinds, to_text(entry)) for stream, entry in diarised.items()
    ]
    with connection.cursor() as cursor:
        execute_values(cursor, KEEP, rows, template=TEMPLATE, page_size=PAGE)


def appointments(connection: Connection, book: str, until: datetime | None = None) -> list[Appointment]:
    """Give all that is diarised, the next first; `until`: up to and including that instant."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT, {"book": book, "until": until})
        return [Appointment(stream_ref(stream), due_at, tuple(kinds)) for stream, due_at, kinds in cursor]


def due_by(
    connection: Connection, book: str, until: datetime, after: Appointment | None, limit: int
) -> list[Appointment]:
    """Give the next streams whose time has come by an instant, after the last one that was seen."""
    # The empty name sorts before every stream, so the first page starts at the very beginning.
    asked = {
        "book": book,
        "until": until,
        "after_at": "-infinity" if after is None else after.due_at,
        "after_stream": "" if after is None else after.stream.name,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(DUE, asked)
        return [Appointment(stream_ref(stream), due_at, tuple(kinds)) for stream, due_at, kinds in cursor]


def count_due(connection: Connection, book: str, until: datetime) -> int:
    """Give how many streams' time has come by an instant."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, (book, until))
        (counted,) = cursor.fetchone() or (0,)
        return int(counted)


def next_after(connection: Connection, book: str, now: datetime) -> datetime | None:
    """Give the first instant (UTC) after `now` at which time will owe some stream something."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_AFTER, (book, now))
        [(instant,)] = cursor.fetchall()
        return None if instant is None else instant.astimezone(UTC)


def keep_standing(connection: Connection, book: str, change: Change) -> None:
    """Write down which deadlines of these streams stand now. Commits nothing."""
    if not change.streams:
        return
    rows = [
        (
            book,
            row.subject.name,
            row.kind,
            row.rule,
            row.seq,
            row.raw_due_on,
            row.due_on,
            row.alert_on,
            row.status,
        )
        for row in change.rows
    ]
    with connection.cursor() as cursor:
        cursor.execute(STRIKE, (book, [stream.name for stream in change.streams]))
        execute_values(cursor, STAND, rows, page_size=PAGE)


def states(connection: Connection, book: str, kind: StreamKind | None = None) -> Sequence[State]:
    """Give all streams, or those of one kind, as the diary knows them, by name."""
    with connection.cursor() as cursor:
        cursor.execute(STATES, (book, f"{kind or ''}%"))
        return [from_text(stream_ref(stream), None, memory).state for stream, memory in cursor]


def contracts(connection: Connection, book: str) -> Sequence[Contract]:
    """Give all contracts as the diary knows them, by number."""
    return [state for state in states(connection, book, "contract") if isinstance(state, Contract)]


def standing_deadlines(
    connection: Connection,
    book: str,
    *,
    kinds: Collection[str] | None = None,
    due_until: date | None = None,
    alert_until: date | None = None,
) -> Sequence[Deadline]:
    """Give the deadlines that are open, or missed and not met, the first due first. Dates are inclusive."""
    asked = {
        "book": book,
        "kinds": None if kinds is None else list(kinds),
        "due_until": due_until,
        "alert_until": alert_until,
    }
    with connection.cursor() as cursor:
        cursor.execute(STANDING, asked)
        return [Deadline(stream_ref(stream), *rest) for stream, *rest in cursor]


def drop(connection: Connection, book: str) -> None:
    """Drop all notes of a book."""
    with connection.cursor() as cursor:
        cursor.execute(DROP, {"book": book})
