"""The diary as a follower of the feed."""

from collections.abc import Sequence

from ledger.feed.reading import FeedEvent
from ledger.store.pool import Connection
from schedulers.diary.entries import diarise
from schedulers.diary.queries import drop, keep, kept

NAME = "diary"


class Diary:
    """Notes for each stream of a book when time will next owe it something."""

    name = NAME
    types: frozenset[str] | None = None

    def __init__(self, book: str) -> None:
        """Follow for the diary of one book."""
        self.book = book

    def apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        """Fold a batch, in order of position. Must not commit."""
        standing = kept(connection, self.book, {event.stream for event in events})
        for event in events:
            diarised = diarise(standing.get(event.stream), event.recorded)
            if diarised is not None:
                standing[event.stream] = diarised
        keep(connection, self.book, standing)

    def forget(self, connection: Connection) -> None:
        """Drop the book's diary, to be kept again from the start. Must not commit."""
        drop(connection, self.book)
