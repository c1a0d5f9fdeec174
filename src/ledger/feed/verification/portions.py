"""The log in position order, a portion at a time, as the database sends it fastest: COPY in binary form.

A portion holds the sealed events of a range of positions, the stored nodes that they complete, and the signed
heads that fall into it. While one is checked, the next is read (see `ReadAhead`).
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from typing import Final, NamedTuple, TypeVar

from ledger.feed.verification.heads import StoredHead, heads_between
from ledger.feed.verification.nodes import StoredLevel, stored_levels
from ledger.store.pool import Connection

PORTION: Final = 4_096
"""Positions of one portion: some 5 MB."""

# Columns of fixed width come first, and the widths of the others among them, so that a row is parted in a
# few steps.
# The plan is held to the log's own order: statistics of a growing table are often too old to find it.
_EVENTS: Final = """
copy (
    select l.position, l.sealed_at, e.stream_id, e.version, e.schema_version, e.ordinal, e.effective_on, e.at,
        e.recorded_at, e.event_id, e.correlation_id, e.causation_id is null,
        coalesce(e.causation_id, e.event_id), octet_length(e.stream), octet_length(e.type),
        octet_length(e.actor), octet_length(e.command_id), octet_length(e.payload), octet_length(e.leaf),
        octet_length(e.leaf_hash), octet_length(l.leaf_hash), e.stream, e.type, e.actor, e.command_id,
        e.payload, e.leaf, e.leaf_hash, l.leaf_hash
    from ledger.log l
    join ledger.events e on e.book = l.book and e.stream_id = l.stream_id and e.version = l.version
    where l.book = {book} and l.position >= {first} and l.position < {end}
    order by l.position
) to stdout (format binary)
"""
_PLAN: Final = (
    "set transaction isolation level repeatable read, read only",
    "set local enable_hashjoin = off",
    "set local enable_mergejoin = off",
    "set local enable_bitmapscan = off",
    "set local max_parallel_workers_per_gather = 0",
)

T = TypeVar("T")


class Portion(NamedTuple):
    """The positions from `first` up to, and not including, `end`."""

    first: int
    end: int
    events: bytes
    """Rows as COPY sends them; see `fast_rows`."""
    nodes: Sequence[StoredLevel]
    heads: Sequence[StoredHead]


def begin_snapshot(connection: Connection) -> None:
    """Let all that is read in the transaction now open show one moment, and be read in the log's order."""
    with connection.cursor() as cursor:
        for statement in _PLAN:
            cursor.execute(statement)


def read_portion(connection: Connection, book: str, first: int, end: int) -> Portion:
    """Read one portion; rows that are missing are simply not in it."""
    sent = BytesIO()
    with connection.cursor() as cursor:
        literal = cursor.mogrify("%s", (book,)).decode()
        cursor.copy_expert(_EVENTS.format(book=literal, first=first, end=end), sent)
    return Portion(
        first,
        end,
        sent.getvalue(),
        stored_levels(connection, book, first, end),
        heads_between(connection, book, first, end),
    )


class ReadAhead:
    """Reads the next portion on a thread of its own while the one before is checked.

    The connection belongs to that thread: whatever else is asked of it goes through `ask`.
    """

    def __init__(self, connection: Connection) -> None:
        """Read from the snapshot that is open on this connection."""
        self._connection = connection
        self._reader = ThreadPoolExecutor(1, "verification")

    def ask(self, question: Callable[[Connection], T]) -> T:
        """Ask something else of the same snapshot; waits for the portion that is under way."""
        return self._reader.submit(question, self._connection).result()

    def portions(self, book: str, first: int, size: int) -> Iterator[Portion]:
        """Give the portions from a position up to the log's size."""
        upcoming = self._begin(book, first, size)
        while upcoming is not None:
            portion = upcoming.result()
            upcoming = self._begin(book, portion.end, size)
            yield portion

    def close(self) -> None:
        """Wait for what is under way and read nothing more."""
        self._reader.shutdown(cancel_futures=True)

    def _begin(self, book: str, first: int, size: int) -> Future[Portion] | None:
        if first >= size:
            return None
        end = min(size, first - first % PORTION + PORTION)
        return self._reader.submit(read_portion, self._connection, book, first, end)
