"""A view as a follower of the feed: each batch is one load, one run in memory, one write."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from ledger.feed.reading import FeedEvent
from ledger.store.pool import Connection
from projections.folding.versions import Folding
from projections.folding.view import View
from projections.folding.writing import forget, load_remembered, without_waiting_for_the_disk, write

Memory = TypeVar("Memory")


class ViewFollower(Generic[Memory]):
    """Keeps one view of one book. Its checkpoint moves in the same transaction as its rows."""

    def __init__(self, view: View[Memory], book: str) -> None:
        """Follow for one view of one book."""
        self.view = view
        self.book = book
        self.name = view.name
        self.types = view.types

    def apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        """Fold a batch, in order of position. Must not commit."""
        without_waiting_for_the_disk(connection)
        keys = {self.view.key_of(event) for event in events}
        keys.update(key for event in events if (key := self.view.mentions(event)) is not None)
        folding = Folding(self.view, load_remembered(connection, self.book, self.view, keys))
        folding.take_all(events)
        write(connection, self.book, folding)

    def forget(self, connection: Connection) -> None:
        """Drop the view's rows and memory, to be folded again. Must not commit."""
        forget(connection, self.book, self.view)
