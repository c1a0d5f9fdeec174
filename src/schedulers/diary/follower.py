"""The diary as a follower of the feed."""

from collections.abc import Sequence

from ledger.feed.reader import FeedEvent
from ledger.store.pool import Connection
from schedulers.diary.entries import diarise
from schedulers.diary.queries import drop, keep, keep_standing, kept
from schedulers.diary.standing import changed

NAME = "diary"


class Diary:
    """Notes for each stream of a book when time will next owe it something, and which deadlines stand."""

    name = NAME
    types: frozenset[str] | None = None

    def __init__(self, book: str) -> None:
        """Follow for the diary of one book."""
        self.book = book

    def apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        """Fold a batch, in order of position. Must not commit."""
        diarised = kept(connection, self.book, {event.stream for event in events})
        before = {stream: entry.state for stream, entry in diarised.items()}
        for event in events:
            entry = diarise(diarised.get(event.stream), event.recorded)
            if entry is not None:
                diarised[event.stream] = entry
        keep(connection, self.book, diarised)
        after = {stream: entry.state for stream, entry in diarised.items()}
        keep_standing(connection, self.book, changed(before, after))

    def forget(self, connection: Connection) -> None:
        """Drop the book's diary, to be kept again from the start. Must not commit."""
        drop(connection, self.book)
