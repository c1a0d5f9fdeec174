"""The feed written to the archive's folder, whole files or none."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ledger.errors import Rejected, UsageError
from ledger.feed.reader import FeedEvent, read_feed
from ledger.store.feed import feed_end
from ledger.store.pool import Connection, Pool
from projections.archive.files import Range, ranges_of, to_write
from projections.archive.rows import EVENTS, archived
from projections.exports.files import write_file

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
    from projections.archive.reading import last_event_id  # noqa: PLC0415  # needs the extra, as writing does

    [ours] = read_feed(connection, book, held[-1].last - 1, 1)
    if last_event_id(folder / held[-1].name) != str(ours.event_id):
        message = (
            f"{folder / held[-1].name} does not end with the event at position {held[-1].last} of book"
            f" {book!r}: it is another log's; archive into an empty folder."
        )
        raise Rejected(message)
