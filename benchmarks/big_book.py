"""A book of any size, of true events: the sample book's, recorded once and copied under other numbers.

The copies run side by side, so that neighbours in the feed belong to different contracts: the worst case for
whoever folds each contract. The leaves are not true ones: this book is read, never verified.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import islice
from uuid import uuid4

import psycopg2

from benchmarks.sample import SAMPLE_SERIES
from ledger.feed.reader import FeedEvent, read_feed
from ledger.store.canonical import stream_id, stream_ref
from ledger.store.feed import feed_end
from ledger.store.pool import Pool

PORTION = 20_000
FIRST_SERIES = 10_000
"""Of the copies' numbers: CC-10000-…"""
COPIES_TOGETHER = 50
"""Side by side, where events arrive without an end."""
SEALED_FROM = datetime(2026, 3, 1, tzinfo=UTC)

_COPY_EVENTS = """
copy ledger.events (book, stream_id, version, stream, event_id, type, schema_version, effective_on, at,
    recorded_at, command_id, ordinal, actor, correlation_id, payload, leaf, leaf_hash) from stdin
"""
_COPY_LOG = "copy ledger.log (book, position, stream_id, version, leaf_hash, sealed_at) from stdin"


def sample_events(pool: Pool, book: str, count: int | None = None) -> list[FeedEvent]:
    """Read the sample's events from a book that begins with it: `count` of them; None: it holds no others."""
    with pool.connection() as connection:
        return read_feed(connection, book, -1, count or feed_end(connection, book) + 1)


class BigBook:
    """Appends copies of the sample's events to a book's log, as a superuser."""

    def __init__(self, dsn: str, book: str, events: Sequence[FeedEvent]) -> None:
        """Copy these events."""
        self._dsn = dsn
        self._book = book
        self._events = events
        self._next = events[-1].position + 1
        self._series = FIRST_SERIES

    def go_on(self, position: int, series: int) -> None:
        """Go on at a position, with copies of this series and later ones."""
        self._next, self._series = position, series

    def numbers(self) -> list[str]:
        """Name the contracts of all copies that were written."""
        own = {event.stream.number for event in self._events if event.stream.kind == "contract"}
        return [
            number.replace(SAMPLE_SERIES, f"-{series}-")
            for series in range(FIRST_SERIES, self._series)
            for number in sorted(own)
        ]

    def write(self, events: int) -> int:
        """Write whole copies until the log has at least this many events, and let the database take stock.

        The log's end.
        """
        copies = max(0, -(-(events - self._next) // len(self._events)))
        position = self._next
        source = self._copied(copies)
        with closing(psycopg2.connect(self._dsn)) as connection:
            while portion := list(islice(source, PORTION)):
                self._write_portion(connection, position, portion)
                position += len(portion)
                connection.commit()
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("vacuum analyze ledger.events, ledger.log")
        self._next = position
        self._series += copies
        return position - 1

    def arrive(self, a_second: int, until: Callable[[], bool]) -> int:
        """Append so many events a second, some at a time, until told to stop; how many came."""
        begun, first = time.monotonic(), self._next
        source = self._copied_on()
        with closing(psycopg2.connect(self._dsn)) as connection:
            while not until():
                due = int((time.monotonic() - begun) * a_second) - (self._next - first)
                if due > 0 and (portion := list(islice(source, due))):
                    self._write_portion(connection, self._next, portion)
                    connection.commit()
                    self._next += len(portion)
                time.sleep(0.02)
        return self._next - first

    def _copied_on(self) -> Iterator[tuple[FeedEvent, str]]:
        while True:
            yield from self._copied(COPIES_TOGETHER)
            self._series += COPIES_TOGETHER

    def _copied(self, copies: int) -> Iterator[tuple[FeedEvent, str]]:
        for event in self._events:
            for copy in range(copies):
                yield event, f"-{self._series + copy}-"

    def _write_portion(
        self,
        connection: "psycopg2.extensions.connection",
        first: int,
        portion: Sequence[tuple[FeedEvent, str]],
    ) -> None:
        rows, log = StringIO(), StringIO()
        for position, (event, series) in enumerate(portion, first):
            stream = event.stream.name.replace(SAMPLE_SERIES, series)
            number = stream_id(self._book, stream_ref(stream))
            payload = event.payload.replace(SAMPLE_SERIES.encode(), series.encode()).hex()
            sealed_at = SEALED_FROM + timedelta(milliseconds=position)
            rows.write(
                f"{self._book}\t{number}\t{event.version}\t{stream}\t{uuid4()}\t{event.type}"
                f"\t{event.schema_version}\t{event.effective_on}\t{event.at.isoformat()}"
                f"\t{event.recorded_at.isoformat()}\t{event.command_id.replace(SAMPLE_SERIES, series)}"
                f"\t{event.ordinal}\t{event.actor}\t{event.correlation_id}\t\\\\x{payload}\t\\\\x00\t\\\\x00\n"
            )
            log.write(
                f"{self._book}\t{position}\t{number}\t{event.version}\t\\\\x00\t{sealed_at.isoformat()}\n"
            )
        with connection.cursor() as cursor:
            for statement, lines in ((_COPY_EVENTS, rows), (_COPY_LOG, log)):
                lines.seek(0)
                cursor.copy_expert(statement, lines)
