"""What was sent where, and when."""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

from ledger.store.pool import Connection

_SENT: Final = """
select exists (
    select from schedulers.heads_sent where book = %s and place = %s and day = %s and sent_at is not null
)
"""
_SIZE: Final = """
select coalesce(max(size), 0) from schedulers.heads_sent
where book = %s and place = %s and epoch = %s and sent_at is not null
"""
_COSIGNED: Final = """
select max(size) from schedulers.heads_sent
where book = %s and epoch = %s and day = %s and place = any(%s) and sent_at is not null
"""
_NOTE: Final = """
insert into schedulers.heads_sent as known (book, place, day, epoch, size, sent_at, told)
values (%(book)s, %(place)s, %(day)s, %(epoch)s, %(size)s,
        case when %(taken)s then clock_timestamp() end, %(told)s)
on conflict (book, place, day) do update
    set epoch = excluded.epoch, size = excluded.size, sent_at = excluded.sent_at,
        tried_at = clock_timestamp(), told = excluded.told
    where known.sent_at is null or excluded.sent_at is not null
"""


class Sending(NamedTuple):
    """One head given to one place, or not."""

    place: str
    day: date
    epoch: int
    size: int
    taken: bool
    told: str
    """What the place answered, or what went wrong."""


def was_sent(connection: Connection, book: str, place: str, day: date) -> bool:
    """Say whether a place has had its head of a day."""
    with connection.cursor() as cursor:
        cursor.execute(_SENT, (book, place, day))
        return cursor.fetchone() == (True,)


def sent_size(connection: Connection, book: str, place: str, epoch: int) -> int:
    """Size of the newest head of an epoch that a place took; 0 for none."""
    with connection.cursor() as cursor:
        cursor.execute(_SIZE, (book, place, epoch))
        [(size,)] = cursor.fetchall()
        return int(size)


def cosigned_size(
    connection: Connection, book: str, epoch: int, day: date, witnesses: Sequence[str]
) -> int | None:
    """Size of the newest head that a witness cosigned on a day; None for none."""
    with connection.cursor() as cursor:
        cursor.execute(_COSIGNED, (book, epoch, day, list(witnesses)))
        [(size,)] = cursor.fetchall()
        return None if size is None else int(size)


def note_sending(connection: Connection, book: str, sending: Sending) -> None:
    """Note what came of a sending; one that failed never hides one of the same day that did not."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"book": book, **sending._asdict()})
