"""The feed as Parquet files that analysts read: one file a range of positions, the signed head beside it.

A file is named by its first and last position, so that names sort as positions do. A range that is full is
never written again; the last one, not full yet, is replaced by one that reaches further.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ledger.errors import Rejected, UsageError
from ledger.feed.reader import FeedEvent, read_feed
from ledger.store.feed import feed_end
from ledger.store.pool import Connection, Pool
from projections.exports.files import needed, write_file
from projections.exports.sheets import Row, sheet

RANGE: Final = 100_000
"""Positions of a full file."""

NAME: Final = re.compile(r"events-(\d{12})-(\d{12})\.parquet")


class Range(NamedTuple):
    """One file's positions, both included."""

    first: int
    last: int

    @property
    def name(self) -> str:
        """The file's name."""
        return f"events-{self.first:012d}-{self.last:012d}.parquet"

    @property
    def head_name(self) -> str:
        """The name of the signed head beside it."""
        return f"events-{self.first:012d}-{self.last:012d}.checkpoint"


def ranges_of(folder: Path) -> list[Range]:
    """Return the ranges that a folder holds, in order.

    Raises `Rejected` where they leave a gap or overlap.
    """
    reaching: dict[int, int] = {}
    for path in folder.glob("events-*.parquet"):
        if named := NAME.fullmatch(path.name):
            # A program that was killed may have left a range as it stood before it grew.
            reaching[int(named[1])] = max(int(named[2]), reaching.get(int(named[1]), 0))
    held = [Range(first, last) for first, last in sorted(reaching.items())]
    expected = 0
    for one in held:
        if one.first != expected:
            message = (
                f"{folder} holds {one.name}, where a file from position {expected} on is awaited: archive"
                " into an empty folder, and find out what became of this one."
            )
            raise Rejected(message)
        expected = one.last + 1
    return held


def to_write(held: list[Range], end: int, length: int = RANGE) -> Iterator[Range]:
    """Yield the ranges to write so that the archive reaches `end`: the last one anew if it can grow."""
    first = 0
    if held:
        last = held[-1]
        whole = last.last - last.first + 1 >= length
        first = last.last + 1 if whole or last.last >= end else last.first
    while first <= end:
        last_of_it = min(end, first - first % length + length - 1)
        yield Range(first, last_of_it)
        first = last_of_it + 1


def last_event_id(path: Path) -> str:
    """Return the id of a file's last event. Raises `Rejected` for a file that is no archive's."""
    arrow, parquet = needed("pyarrow", "Parquet"), needed("pyarrow.parquet", "Parquet")
    try:
        with parquet.ParquetFile(path) as file:
            last = file.read_row_group(file.num_row_groups - 1, columns=["event_id"])
    except (OSError, arrow.ArrowException) as error:
        message = f"{path} cannot be read as Parquet: archive into an empty folder."
        raise Rejected(message) from error
    return str(last.column("event_id")[-1].as_py())


EVENTS: Final = sheet(
    "events",
    position="integer",
    sealed_at="instant",
    stream="text",
    version="integer",
    type="text",
    schema_version="integer",
    event_id="text",
    effective_on="date",
    at="instant",
    recorded_at="instant",
    actor="text",
    command_id="text",
    ordinal="integer",
    correlation_id="text",
    causation_id="text",
    payload="text",
)


def archived(events: Iterable[FeedEvent]) -> Iterator[Row]:
    """Yield events as rows. The payload is the exact text recorded, for its hash stands in the log's leaf."""
    for event in events:
        yield {
            "position": event.position,
            "sealed_at": event.sealed_at,
            "stream": event.stream.name,
            "version": event.version,
            "type": event.type,
            "schema_version": event.schema_version,
            "event_id": str(event.event_id),
            "effective_on": event.effective_on,
            "at": event.at,
            "recorded_at": event.recorded_at,
            "actor": event.actor,
            "command_id": event.command_id,
            "ordinal": event.ordinal,
            "correlation_id": str(event.correlation_id),
            "causation_id": None if event.causation_id is None else str(event.causation_id),
            "payload": event.payload.decode(),
        }


AT_ONCE: Final = 2_000

# The newest head of the present epoch; it need not end where the file does: it covers all that it reaches.
_HEAD: Final = """
select note, size from ledger.checkpoints
where book = %s and epoch = (select epoch from ledger.books where book = %s)
order by size desc limit 1
"""
_SNAPSHOT: Final = "set transaction isolation level repeatable read, read only"

Report = Callable[[int], None]


class Archived(NamedTuple):
    """What was archived now."""

    files: list[str]
    events: int
    """Written now, those of a file that grew too."""
    end: int
    """The archive's last position."""
    head_size: int | None
    """Size of the log at the signed head beside the last file; None: nothing has been signed yet."""


def archive(pool: Pool, book: str, folder: Path, report: Report = lambda _: None) -> Archived:
    """Bring a folder's archive up to the feed's end; `report` is told how many more events are written.

    Raises `Rejected` where the folder cannot be written or holds another archive, `UsageError` for a file.
    """
    if folder.exists() and not folder.is_dir():
        message = f"{folder} is a file: name a folder for the archive."
        raise UsageError(message)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder} cannot be made: {error.strerror}. Name another folder."
        raise Rejected(message) from error
    held = ranges_of(folder)
    with pool.transaction() as connection:
        with connection.cursor() as cursor:
            cursor.execute(_SNAPSHOT)
        end, head = feed_end(connection, book), _head(connection, book)
        if held and held[-1].last > end:
            message = (
                f"{folder} reaches position {held[-1].last}, the feed of book {book!r} ends at {end}: it is"
                " another book's, or the log went back to an older state; archive into an empty folder."
            )
            raise Rejected(message)
        _refuse_another(connection, book, folder, held)
        written = list(to_write(held, end))
        for one in written:
            _write(connection, book, folder, one, head, report)
    return Archived(
        [one.name for one in written],
        sum(one.last - one.first + 1 for one in written),
        end,
        None if head is None else head[1],
    )


def _write(  # noqa: PLR0913, PLR0917  # a range, where it goes, and its head
    connection: Connection, book: str, folder: Path, one: Range, head: tuple[str, int] | None, report: Report
) -> None:
    write_file(archived(_told(_events(connection, book, one), report)), EVENTS, folder / one.name)
    if head is not None:
        (folder / one.head_name).write_text(head[0], encoding="utf-8")
    for path in folder.glob(f"events-{one.first:012d}-*"):
        if path.name not in {one.name, one.head_name}:
            # The same range as it stood before it grew.
            path.unlink()


def _events(connection: Connection, book: str, one: Range) -> Iterator[FeedEvent]:
    after = one.first - 1
    while after < one.last:
        limit = min(AT_ONCE, one.last - after)
        yield from read_feed(connection, book, after, limit)
        after += limit


def _told(events: Iterator[FeedEvent], report: Report) -> Iterator[FeedEvent]:
    for event in events:
        report(1)
        yield event


def _head(connection: Connection, book: str) -> tuple[str, int] | None:
    with connection.cursor() as cursor:
        cursor.execute(_HEAD, (book, book))
        found = cursor.fetchone()
    return None if found is None else (str(found[0]), int(found[1]))


def _refuse_another(connection: Connection, book: str, folder: Path, held: list[Range]) -> None:
    """Refuse to go on with the archive of another log: its last event must be ours."""
    if not held:
        return

    [ours] = read_feed(connection, book, held[-1].last - 1, 1)
    if last_event_id(folder / held[-1].name) != str(ours.event_id):
        message = (
            f"{folder / held[-1].name} does not end with the event at position {held[-1].last} of book"
            f" {book!r}: it is another log's; archive into an empty folder."
        )
        raise Rejected(message)
