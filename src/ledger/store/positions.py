"""Positions of single events, and what stands at the head of a stream: one probe of a key each."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from ledger.domain.identifiers import StreamRef
from ledger.store.pool import Connection
from ledger.store.streams import stream_id

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


class Place(NamedTuple):
    """One event by the id of its stream and its version there."""

    stream_id: str
    version: int


def select_positions(connection: Connection, book: str, places: Sequence[Place]) -> Mapping[Place, int]:
    """Give the positions of these events; those that have none yet are left out."""
    wanted = {
        "book": book,
        "streams": [place.stream_id for place in places],
        "versions": [place.version for place in places],
    }
    with connection.cursor() as cursor:
        cursor.execute(_POSITIONS, wanted)
        return {Place(stream, version): int(position) for stream, version, position in cursor}


def last_positions(
    connection: Connection, book: str, streams: Collection[StreamRef], position: int
) -> Mapping[StreamRef, int]:
    """Give the position of each stream's last event, up to a position; -1 where there is none."""
    ids = {str(stream_id(book, stream)): stream for stream in streams}
    with connection.cursor() as cursor:
        cursor.execute(_LAST, (book, list(ids), position))
        return dict.fromkeys(streams, -1) | {ids[found]: int(last) for found, last in cursor.fetchall()}


def version_at(connection: Connection, book: str, stream: StreamRef, position: int) -> int | None:
    """Give the version that a stream has reached at a position of the feed; None before its first."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, (book, str(stream_id(book, stream)), position))
        found = cursor.fetchone()
    return int(found[0]) if found else None
