"""The diary's table: what is kept of each stream, and which streams' time has come."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from psycopg2.extras import execute_values

from ledger.domain.identifiers import StreamRef
from ledger.store.pool import Connection
from ledger.store.streams import stream_ref
from schedulers.diary.entries import Diarised, from_text, to_text

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

DROP = "delete from schedulers.diary where book = %s"

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


def drop(connection: Connection, book: str) -> None:
    """Drop all notes of a book."""
    with connection.cursor() as cursor:
        cursor.execute(DROP, (book,))
