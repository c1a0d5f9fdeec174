"""Events of single streams as the feed holds them, and which streams belong to a contract."""

from collections.abc import Collection, Iterator, Sequence

from ledger.domain.identifiers import StreamRef
from ledger.feed.reader import FeedEvent, read_feed, read_streams
from ledger.store.canonical import stream_id, stream_ref
from ledger.store.pool import Connection

BATCH = 2000
"""Positions read at once."""

FIRST_POSITION = "select position from ledger.log where book = %s and stream_id = %s and version = 1"

BETWEEN = """
select distinct events.stream from ledger.log join ledger.events using (book, stream_id, version)
where log.book = %s and log.position > %s and log.position <= %s limit %s
"""

BELONGING = """
with live as (select view, generation from projections.generations where book = %(book)s and state = 'live')
select 'claim', claim, min(opened_position) from projections.claims
where book = %(book)s and generation = (select generation from live where view = 'claims')
    and contract = %(contract)s and from_position <= %(position)s
group by claim
union all
select 'complaint', complaint, min(opened_position) from projections.complaints
where book = %(book)s and generation = (select generation from live where view = 'complaints')
    and contract = %(contract)s and from_position <= %(position)s
group by complaint
order by 3
"""


def first_position(connection: Connection, book: str, stream: StreamRef) -> int:
    """Give the position of a stream's first event. Raises `KeyError` when none is sealed."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST_POSITION, (book, str(stream_id(book, stream))))
        found = cursor.fetchone()
    if found is None:
        raise KeyError(stream.name)
    return int(found[0])


def streams_between(connection: Connection, book: str, after: int, until: int, limit: int) -> list[StreamRef]:
    """Name the streams that events happened to after a position, until another one; so many at most."""
    with connection.cursor() as cursor:
        cursor.execute(BETWEEN, (book, after, until, limit))
        return [stream_ref(name) for (name,) in cursor]


def belonging(connection: Connection, book: str, contract: str, position: int) -> list[StreamRef]:
    """Name a contract's stream, then those of the claims and complaints that were ever on it by a position.

    Reads the registers of claims and complaints: they must have been brought up to the position.
    """
    with connection.cursor() as cursor:
        cursor.execute(BELONGING, {"book": book, "contract": contract, "position": position})
        return [StreamRef("contract", contract), *(StreamRef(kind, number) for kind, number, _ in cursor)]


def read_scope(
    connection: Connection, book: str, scope: StreamRef | None, position: int
) -> Sequence[FeedEvent]:
    """Read, up to a position, the events of a stream; of a contract with all that belongs to it; or all."""
    if scope is None:
        return list(read_until(connection, book, position))
    streams = belonging(connection, book, scope.number, position) if scope.kind == "contract" else [scope]
    return read_streams(connection, book, streams, position)


def read_until(
    connection: Connection, book: str, position: int, types: Collection[str] | None = None
) -> Iterator[FeedEvent]:
    """Read the feed from its start up to and including a position."""
    after = -1
    while after < position:
        limit = min(BATCH, position - after)
        yield from read_feed(connection, book, after, limit, types)
        after += limit
