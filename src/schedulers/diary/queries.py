"""Questions to the diary."""

from datetime import datetime
from typing import NamedTuple

from ledger.domain.identifiers import StreamRef
from ledger.store.pool import Connection
from ledger.store.streams import stream_ref

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

COUNT = "select count(*) from schedulers.diary where book = %s and due_at <= %s"


class Appointment(NamedTuple):
    """A stream, and the instant (UTC) at which time will owe it something."""

    stream: StreamRef
    due_at: datetime
    kinds: tuple[str, ...]
    """Deadlines that take effect then."""


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
