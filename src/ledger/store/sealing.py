"""Sealing: from what is pending, which commits may be sealed next, and their rows in the log.

A commit may be sealed when each event that precedes one of its own in a stream is sealed, or is sealed by the
same batch before it. That rests on committed rows alone: tickets come from a sequence and only hint at the
order.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Final, NamedTuple
from uuid import UUID

from ledger.store.errors import BookUnknown, LogBroken
from ledger.store.pool import Connection

# Two statements in one round trip, so that the second one's snapshot is taken after the lock was had: it sees
# all that the last holder sealed. Whoever appends takes no lock on the row, and waits for nobody.
_LOCK: Final = "select from ledger.books where book = %s for no key update"
_END: Final = """
select clock_timestamp(), coalesce(l.position + 1, 0), l.sealed_at
from ledger.books b
left join lateral (
    select position, sealed_at from ledger.log where book = b.book order by position desc limit 1
) as l on true
where b.book = %s
"""

_PAGE: Final = """
select ticket, events from ledger.pending where book = %s and ticket > %s order by ticket limit %s
"""

_SEALED: Final = """
select stream_id::text, version from ledger.log
join unnest(%s::uuid[], %s::integer[]) as wanted (stream_id, version) using (stream_id, version)
where book = %s
"""

_COPY: Final = "copy ledger.log (book, position, stream_id, version, leaf_hash, sealed_at) from stdin"
_DELETE: Final = "delete from ledger.pending where book = %s and ticket = any(%s)"
_ANY_PENDING: Final = "select exists (select from ledger.pending where book = %s)"

_STREAM_BYTES: Final = 16
_VERSION_END: Final = 20
_EVENT_BYTES: Final = 52

# Streams begin at version 1, or at 0 where `eventsourcing` has them so: neither has a predecessor to wait
# for.
_LAST_FIRST_VERSION: Final = 1

_COPY_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class StreamVersion(NamedTuple):
    """One event by its stream's id and its version."""

    stream_id: bytes
    version: int


class UnsealedEvent(NamedTuple):
    """One event that waits for its position."""

    place: StreamVersion
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class UnsealedCommit:
    """One commit that waits: sealed whole, or not yet."""

    ticket: int
    events: Sequence[UnsealedEvent]

    def predecessors(self) -> set[StreamVersion]:
        """Events of other commits that must be sealed before this one."""
        own = {event.place for event in self.events}
        before = {
            StreamVersion(stream_id, version - 1)
            for stream_id, version in own
            if version > _LAST_FIRST_VERSION
        }
        return before - own


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """What one transaction sealed."""

    commits: int
    first_position: int
    events: Sequence[UnsealedEvent]
    """From `first_position` on."""
    sealed_at: datetime

    @property
    def leaf_hashes(self) -> Sequence[bytes]:
        """Of its events."""
        return [event.leaf_hash for event in self.events]

    @property
    def end(self) -> int:
        """Position of its last event."""
        return self.first_position + len(self.events) - 1


class Ordering:
    """Puts commits in an order in which each follows its predecessors; keeps those that still wait."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.ordered: list[UnsealedCommit] = []
        self._standing: set[StreamVersion] = set()
        self._missing: dict[int, set[StreamVersion]] = {}
        self._waiting: defaultdict[StreamVersion, list[UnsealedCommit]] = defaultdict(list)

    def take(self, commits: Iterable[UnsealedCommit], sealed: Iterable[StreamVersion]) -> None:
        """Take further commits, by ticket; `sealed`: those of their predecessors that the log holds."""
        self._standing.update(sealed)
        for commit in commits:
            missing = commit.predecessors() - self._standing
            if missing:
                self._missing[commit.ticket] = missing
                for place in missing:
                    self._waiting[place].append(commit)
            else:
                self._follow(commit)

    def _follow(self, first: UnsealedCommit) -> None:
        """Put a commit next, and after it all that waited for it alone."""
        free = deque([first])
        while free:
            commit = free.popleft()
            self.ordered.append(commit)
            for event in commit.events:
                self._standing.add(event.place)
                for waiting in self._waiting.pop(event.place, ()):
                    missing = self._missing[waiting.ticket]
                    missing.discard(event.place)
                    if not missing:
                        free.append(waiting)


def any_pending(connection: Connection, book: str) -> bool:
    """Return whether anything waits to be sealed; locks nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_ANY_PENDING, (book,))
        return cursor.fetchone() == (True,)


def seal_batch(connection: Connection, book: str, limit: int, now: datetime | None = None) -> SealedBatch:
    """Seal up to `limit` commits in the transaction that is open on this connection.

    Where a whole page of what is pending waits for predecessors, further pages are read until some commit can
    be sealed or none is left, so that what waits for a slow commit never stops the others. `now`: in place of
    the database's time; `sealed_at` never decreases, even if the clock does. Raises BookUnknown, LogBroken.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"{_LOCK};{_END}", (book, book))
        end = cursor.fetchone()
    if end is None:
        raise BookUnknown(book)
    clock, first_position, last_sealed_at = end
    sealed_at: datetime = now or clock
    if last_sealed_at is not None and last_sealed_at > sealed_at:
        sealed_at = last_sealed_at
    commits = _next_commits(connection, book, limit)
    events = [event for commit in commits for event in commit.events]
    if commits:
        _write(connection, book, first_position, events, sealed_at)
        _remove(connection, book, [commit.ticket for commit in commits])
    return SealedBatch(len(commits), first_position, events, sealed_at)


def _next_commits(connection: Connection, book: str, limit: int) -> list[UnsealedCommit]:
    ordering = Ordering()
    after = -1
    while not ordering.ordered:
        page = _page(connection, book, after, limit)
        if not page:
            break
        ordering.take(page, _sealed(connection, book, page))
        after = page[-1].ticket
    return ordering.ordered


def _page(connection: Connection, book: str, after: int, limit: int) -> list[UnsealedCommit]:
    with connection.cursor() as cursor:
        cursor.execute(_PAGE, (book, after, limit))
        return [UnsealedCommit(ticket, unpack(bytes(events))) for ticket, events in cursor.fetchall()]


def unpack(packed: bytes) -> list[UnsealedEvent]:
    """Read the events of a pending row: 52 bytes each."""
    return [
        UnsealedEvent(
            StreamVersion(
                packed[at : at + _STREAM_BYTES],
                int.from_bytes(packed[at + _STREAM_BYTES : at + _VERSION_END]),
            ),
            packed[at + _VERSION_END : at + _EVENT_BYTES],
        )
        for at in range(0, len(packed), _EVENT_BYTES)
    ]


def _sealed(connection: Connection, book: str, page: Sequence[UnsealedCommit]) -> list[StreamVersion]:
    """Find which predecessors of a page's commits the log holds; those in the page itself need no look-up."""
    in_page = {event.place for commit in page for event in commit.events}
    wanted = [place for commit in page for place in commit.predecessors() if place not in in_page]
    if not wanted:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _SEALED,
            (
                [str(UUID(bytes=place.stream_id)) for place in wanted],
                [place.version for place in wanted],
                book,
            ),
        )
        return [StreamVersion(UUID(stream_id).bytes, version) for stream_id, version in cursor.fetchall()]


def _write(
    connection: Connection,
    book: str,
    first_position: int,
    events: Sequence[UnsealedEvent],
    sealed_at: datetime,
) -> None:
    lead, end = book.translate(_COPY_ESCAPES), sealed_at.isoformat()
    lines = StringIO()
    for position, ((stream_id, version), leaf_hash) in enumerate(events, first_position):
        lines.write(f"{lead}\t{position}\t{stream_id.hex()}\t{version}\t\\\\x{leaf_hash.hex()}\t{end}\n")
    lines.seek(0)
    with connection.cursor() as cursor:
        cursor.copy_expert(_COPY, lines)


def _remove(connection: Connection, book: str, tickets: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, (book, list(tickets)))
        if cursor.rowcount != len(tickets):
            message = (
                f"{len(tickets) - cursor.rowcount} pending commits of book {book!r} vanished while they "
                "were sealed"
            )
            raise LogBroken(message)
