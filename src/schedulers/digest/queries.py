"""Which digests were sent where, and which followers have stopped at what they could not take."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from ledger.store.pool import Connection

_SENT: Final = "select exists (select from schedulers.digests where book = %s and place = %s and day = %s)"
_LAST: Final = "select max(day) from schedulers.digests where book = %s and day < %s"
_NOTE: Final = "insert into schedulers.digests (book, place, day) values (%s, %s, %s) on conflict do nothing"
_STOPPED: Final = "select distinct follower from ledger.parked where book = %s order by follower"


def was_sent(connection: Connection, book: str, place: str, day: date) -> bool:
    """Say whether a place has had its digest of a day."""
    with connection.cursor() as cursor:
        cursor.execute(_SENT, (book, place, day))
        return cursor.fetchone() == (True,)


def last_day(connection: Connection, book: str, before: date) -> date | None:
    """Give the day of the last digest before a day, wherever it went."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST, (book, before))
        [(day,)] = cursor.fetchall()
        return day if isinstance(day, date) else None


def note(connection: Connection, book: str, place: str, day: date) -> None:
    """Note that a place has had its digest of a day."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, (book, place, day))


def stopped(connection: Connection, book: str) -> Sequence[str]:
    """Name the followers of a book that have parked an event."""
    with connection.cursor() as cursor:
        cursor.execute(_STOPPED, (book,))
        return [name for (name,) in cursor.fetchall()]
