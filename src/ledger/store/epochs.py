"""Epochs of a book's log in the database."""

from datetime import UTC, datetime
from typing import Final, NamedTuple, cast

from ledger.store.pool import Connection

_SELECT: Final = """
select epoch, origin, from_position, begun_at, because, lost_size, lost_root
from ledger.epochs where book = %s order by epoch
"""
_INSERT: Final = """
insert into ledger.epochs (book, epoch, origin, from_position, begun_at, because, lost_size, lost_root)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (book, epoch) do nothing
"""
_ENTER: Final = "update ledger.books set epoch = %s, origin = %s where book = %s"


_NOW: Final = "select clock_timestamp()"
_TRANSACTION_TIME: Final = "select now()"


class Epoch(NamedTuple):
    """One epoch of a book's log: from where on it may hold other events than the epochs before it."""

    epoch: int
    origin: str
    from_position: int
    begun_at: datetime
    because: str
    lost_size: int | None = None
    lost_root: bytes | None = None


def select_epochs(connection: Connection, book: str) -> list[Epoch]:
    """Read all epochs of a book, the first one first."""
    with connection.cursor() as cursor:
        cursor.execute(_SELECT, (book,))
        return [
            Epoch._make(
                (*row[:3], row[3].astimezone(UTC), *row[4:6], None if row[6] is None else bytes(row[6]))
            )
            for row in cursor.fetchall()
        ]


def database_now(connection: Connection) -> datetime:
    """Read the database's time, UTC."""
    with connection.cursor() as cursor:
        cursor.execute(_NOW)
        [(now,)] = cursor.fetchall()
    return cast("datetime", now).astimezone(UTC)


def transaction_time(connection: Connection) -> datetime:
    """Read when the database began the present transaction, UTC."""
    with connection.cursor() as cursor:
        cursor.execute(_TRANSACTION_TIME)
        [(now,)] = cursor.fetchall()
    return cast("datetime", now).astimezone(UTC)


def insert_epoch(connection: Connection, book: str, epoch: Epoch) -> None:
    """Add an epoch; one that is there already stays as it is."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, (book, *epoch))


def enter_epoch(connection: Connection, book: str, epoch: Epoch) -> None:
    """Make an epoch the present one of its book."""
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, (epoch.epoch, epoch.origin, book))
