"""Checkpoints of followers, and the events that they could not take."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from ledger.store.pool import Connection

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
    """Say whether a checkpoint stands elsewhere than at the feed's end; locks nothing."""
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
    """Name the streams of which one follower has parked events, each with the first one's position."""
    with connection.cursor() as cursor:
        cursor.execute(_PARKED_STREAMS, (book, follower))
        return {stream: int(position) for stream, position in cursor}


def checkpoints(connection: Connection, book: str) -> dict[str, int]:
    """Give the position of every follower that has begun, by name."""
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
