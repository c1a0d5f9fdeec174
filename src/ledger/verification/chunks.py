"""The log in position order, a chunk at a time, as the database sends it fastest: COPY in binary form.

A chunk holds the sealed events of a range of positions, the stored nodes that they complete, and the signed
heads that fall into it. While one is checked, the next is read (see `ReadAhead`).

`ledger.log_nodes` holds exactly the complete nodes above the leaves: level 0 is `ledger.log` itself.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from typing import Final, NamedTuple, TypeVar

from ledger.proofs.merkle import HASH_BYTES
from ledger.store.pool import Connection
from ledger.verification.findings import NotVerified
from ledger.verification.heads import StoredHead, heads_between

# A level's hashes come as one string, which is compared at once. They all have one length, or none is given.
_LEVELS: Final = """
select n.level, n.first, (
    select case when bool_and(octet_length(s.hash) = 32)
        then string_agg(s.hash, ''::bytea order by s.index) end
    from ledger.log_nodes s
    where s.book = %s and s.level = n.level and s.index >= n.first and s.index < n.after
)
from unnest(%s::smallint[], %s::bigint[], %s::bigint[]) as n (level, first, after)
"""
_ONE_BY_ONE: Final = """
select index, hash from ledger.log_nodes where book = %s and level = %s and index >= %s and index < %s
"""
_COUNT: Final = "select count(*) from ledger.log_nodes where book = %s"
_STRAY: Final = """
select level, index from ledger.log_nodes
where book = %(book)s and (level < 1 or level > 62 or index < 0 or index >= %(size)s::bigint >> level)
order by level, index limit 1
"""


class StoredLevel(NamedTuple):
    """Stored nodes of one level, from `first` on; None where one has not 32 bytes, or none is there."""

    level: int
    first: int
    hashes: bytes | None


class GrownLevels:
    """The nodes that one chunk of the log completes, level by level, as they are recomputed."""

    def __init__(self) -> None:
        """Begin with none."""
        self._first: dict[int, int] = {}
        self._hashes: defaultdict[int, list[bytes]] = defaultdict(list)

    def take(self, rows: Iterable[tuple[int, int, Sequence[bytes]]]) -> None:
        """Take what `Frontier.grow` completes, to the end; leaves are passed over."""
        for level, first, row in rows:
            if level:
                self._first.setdefault(level, first)
                self._hashes[level] += row

    def differing(self, stored: Iterable[StoredLevel]) -> list[int]:
        """Return the levels whose stored nodes do not begin with these."""
        found = {level: hashes or b"" for level, _, hashes in stored}
        return [
            level
            for level, hashes in sorted(self._hashes.items())
            if not found.get(level, b"").startswith(b"".join(hashes))
        ]

    def expected(self, level: int) -> tuple[int, Sequence[bytes]]:
        """Return a level's first node and its hashes."""
        return self._first[level], self._hashes[level]


def stored_levels(connection: Connection, book: str, first: int, end: int) -> list[StoredLevel]:
    """Read the stored nodes that a log which grows from `first` to `end` leaves completes."""
    levels = [level for level in range(1, end.bit_length()) if end >> level > first >> level]
    if not levels:
        return []
    firsts, afters = ([size >> level for level in levels] for size in (first, end))
    with connection.cursor() as cursor:
        cursor.execute(_LEVELS, (book, levels, firsts, afters))
        return [
            StoredLevel(level, number, None if hashes is None else bytes(hashes))
            for level, number, hashes in cursor.fetchall()
        ]


def first_bad_node(
    connection: Connection, book: str, grown: GrownLevels, levels: Sequence[int]
) -> NotVerified:
    """Return the first node that differs, leaving out those that differ because one below them does."""
    faults: list[NotVerified] = []
    below: set[int] = set()
    for level in range(1, max(levels) + 1):
        found = _faults_of_level(connection, book, level, *grown.expected(level)) if level in levels else {}
        above = {index >> 1 for index in below}
        faults += [fault for index, fault in found.items() if index not in above]
        below = above | found.keys()
    return min(faults, key=lambda fault: fault.position or 0)


def check_no_other_nodes(connection: Connection, book: str, size: int) -> None:
    """Refuse nodes that a log of `size` leaves has not; the others were compared. Raises NotVerified."""
    expected = sum(size >> level for level in range(1, size.bit_length()))
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, (book,))
        [(count,)] = cursor.fetchall()
        if count == expected:
            return
        cursor.execute(_STRAY, {"book": book, "size": size})
        stray = cursor.fetchone()
    if stray is None:
        message = f"it has {count} rows instead of the {expected} of a log of {size} events"
        raise NotVerified(None, "ledger.log_nodes", message)
    row = f"ledger.log_nodes, level {stray[0]}, index {stray[1]}"
    raise NotVerified(None, row, f"a log of {size} events has no such complete node: it was put in")


def _faults_of_level(
    connection: Connection, book: str, level: int, first: int, hashes: Sequence[bytes]
) -> dict[int, NotVerified]:
    """Return what is wrong with the nodes of one level, by their index."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_BY_ONE, (book, level, first, first + len(hashes)))
        stored = {index: bytes(kept) for index, kept in cursor.fetchall()}
    return {
        index: _fault(level, index, stored.get(index))
        for index, made in enumerate(hashes, first)
        if stored.get(index) != made
    }


def _fault(level: int, index: int, stored: bytes | None) -> NotVerified:
    covers = f"positions {index << level} to {((index + 1) << level) - 1}"
    if stored is None:
        reason = f"this node over {covers} is missing"
    elif len(stored) != HASH_BYTES:
        reason = f"this node over {covers} has {len(stored)} bytes instead of {HASH_BYTES}"
    else:
        reason = f"this node is not the hash of {covers}: it, or what stands there, was altered"
    return NotVerified(index << level, f"ledger.log_nodes, level {level}, index {index}", reason)


CHUNK_POSITIONS: Final = 4_096
"""Positions of one chunk: some 5 MB."""

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


class LogChunk(NamedTuple):
    """The positions from `first` up to, and not including, `end`."""

    first: int
    end: int
    events: bytes
    """Rows as COPY sends them; see `rows`."""
    nodes: Sequence[StoredLevel]
    heads: Sequence[StoredHead]


def begin_snapshot(connection: Connection) -> None:
    """Begin a snapshot: all that is read in the transaction now open shows one moment, in the log's order."""
    with connection.cursor() as cursor:
        for statement in _PLAN:
            cursor.execute(statement)


def read_chunk(connection: Connection, book: str, first: int, end: int) -> LogChunk:
    """Read one chunk; rows that are missing are simply not in it."""
    sent = BytesIO()
    with connection.cursor() as cursor:
        literal = cursor.mogrify("%s", (book,)).decode()
        cursor.copy_expert(_EVENTS.format(book=literal, first=first, end=end), sent)
    return LogChunk(
        first,
        end,
        sent.getvalue(),
        stored_levels(connection, book, first, end),
        heads_between(connection, book, first, end),
    )


class ReadAhead:
    """Reads the next chunk on a thread of its own while the one before is checked.

    The connection belongs to that thread: whatever else is asked of it goes through `ask`.
    """

    def __init__(self, connection: Connection) -> None:
        """Read from the snapshot that is open on this connection."""
        self._connection = connection
        self._reader = ThreadPoolExecutor(1, "verification")

    def ask(self, question: Callable[[Connection], T]) -> T:
        """Ask something else of the same snapshot; waits for the chunk that is under way."""
        return self._reader.submit(question, self._connection).result()

    def chunks(self, book: str, first: int, size: int) -> Iterator[LogChunk]:
        """Yield the chunks from a position up to the log's size."""
        upcoming = self._begin(book, first, size)
        while upcoming is not None:
            chunk = upcoming.result()
            upcoming = self._begin(book, chunk.end, size)
            yield chunk

    def close(self) -> None:
        """Wait for what is under way and read nothing more."""
        self._reader.shutdown(cancel_futures=True)

    def _begin(self, book: str, first: int, size: int) -> Future[LogChunk] | None:
        if first >= size:
            return None
        end = min(size, first - first % CHUNK_POSITIONS + CHUNK_POSITIONS)
        return self._reader.submit(read_chunk, self._connection, book, first, end)
