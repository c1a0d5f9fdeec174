"""What `verify --views` asks of the diary: whether it is what the feed says."""

from typing import TYPE_CHECKING

from ledger.domain.deadlines import Deadline
from ledger.domain.identifiers import StreamRef
from ledger.feed.reader import read_feed
from ledger.store.canonical import stream_ref
from ledger.store.feed import checkpoint, feed_end
from ledger.store.pool import Connection
from ledger.verification.findings import CheckedView, NotVerified, OnProgress
from schedulers.diary.entries import Diarised, diarise, to_text
from schedulers.diary.follower import NAME
from schedulers.diary.queries import standing_deadlines
from schedulers.diary.standing import standing

if TYPE_CHECKING:
    from ledger.app import App

BATCH = 2000
"""Positions read at once."""
SNAPSHOT = "set transaction isolation level repeatable read, read only"
ROWS = "select stream, due_at, kinds, memory from schedulers.diary where book = %s"


def check_diary(wiring: "App", progress: OnProgress) -> CheckedView:
    """Check the diary as far as it has come. Raises NotVerified for the first bad row."""
    with wiring.pool.transaction() as connection:
        with connection.cursor() as cursor:
            cursor.execute(SNAPSHOT)
        position, end = checkpoint(connection, wiring.book, NAME), feed_end(connection, wiring.book)
        if position > end:
            row = f"ledger.followers, {NAME}"
            raise NotVerified(
                None, row, f"it says position {position}, the feed ends at {end}: it was altered"
            )
        diarised, newest = _fold(connection, wiring.book, position, progress)
        with connection.cursor() as cursor:
            cursor.execute(ROWS, (wiring.book,))
            kept = {stream: (due_at, tuple(kinds), memory) for stream, due_at, kinds, memory in cursor}
        noted: dict[str, set[Deadline]] = {}
        for deadline in standing_deadlines(connection, wiring.book):
            noted.setdefault(deadline.subject.name, set()).add(deadline)
    fresh = {
        stream.name: (entry.due_at, tuple(entry.kinds), to_text(entry)) for stream, entry in diarised.items()
    }
    differing = [name for name in kept.keys() | fresh.keys() if kept.get(name) != fresh.get(name)]
    if differing:
        first = min(differing, key=lambda name: (newest.get(stream_ref(name), end), name))
        place = newest.get(stream_ref(first))
        raise NotVerified(place, f"schedulers.diary, {first}", _what(kept.get(first), fresh.get(first)))
    _check_standing(diarised, noted, newest)
    return CheckedView(len(fresh), position)


def _fold(
    connection: Connection, book: str, position: int, progress: OnProgress
) -> tuple[dict[StreamRef, Diarised], dict[StreamRef, int]]:
    """Fold the feed up to a position; with the newest position of each stream."""
    diarised: dict[StreamRef, Diarised] = {}
    newest: dict[StreamRef, int] = {}
    after = -1
    while after < position:
        limit = min(BATCH, position - after)
        for event in read_feed(connection, book, after, limit):
            entry = diarise(diarised.get(event.stream), event.recorded)
            if entry is not None:
                diarised[event.stream] = entry
                newest[event.stream] = event.position
        after += limit
        progress(after + 1, position + 1)
    return diarised, newest


def _check_standing(
    diarised: dict[StreamRef, Diarised], noted: dict[str, set[Deadline]], newest: dict[StreamRef, int]
) -> None:
    """Check the deadlines that stand. Raises NotVerified for the first bad row."""
    owed = {ref.name: set(standing(entry.state)) for ref, entry in diarised.items() if standing(entry.state)}
    for name in sorted(noted.keys() | owed.keys()):
        if noted.get(name) != owed.get(name):
            place = newest.get(stream_ref(name))
            raise NotVerified(place, f"schedulers.deadlines, {name}", _what(noted.get(name), owed.get(name)))


def _what(kept: object, fresh: object) -> str:
    if kept is None:
        return "the row that the feed gives is missing: it was deleted"
    if fresh is None:
        return "no event explains this row: it was put in"
    return "it is not what the feed gives: it was altered"
