"""A view as a follower of the feed: each batch is one load, one run in memory, one write."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from ledger.feed.followers import Halted
from ledger.feed.reader import FeedEvent
from ledger.store.pool import Connection
from projections.folding.generations import live_or_first
from projections.folding.versions import Folding
from projections.folding.view import View
from projections.folding.writing import forget, load_remembered, suit_a_batch, write

Memory = TypeVar("Memory")


class FoldChanged(Halted):
    """The rows of a view come from another version of its fold: it must be built anew before it follows."""


class ViewFollower(Generic[Memory]):
    """Keeps one view of one book. Its checkpoint moves in the same transaction as its rows."""

    in_stream_order = True

    def __init__(self, view: View[Memory], book: str, *, building: int | None = None) -> None:
        """Follow for one view of one book: for the rows that are read, or for a generation being built."""
        self.view = view
        self.book = book
        self.building = building
        self.name = view.name if building is None else shadow_name(view.name, building)
        self.types = view.types

    def apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        """Fold a batch, in order of position. Must not commit.

        Raises:
            FoldChanged: the rows that are read were folded otherwise.

        """
        suit_a_batch(connection)
        generation = self._generation(connection)
        keys = {self.view.key_of(event) for event in events}
        keys.update(key for event in events if (key := self.view.mentions(event)) is not None)
        folding = Folding(self.view, load_remembered(connection, self.book, generation, self.view, keys))
        folding.take_all(events)
        write(connection, self.book, generation, folding)

    def forget(self, connection: Connection) -> None:
        """Drop the view's rows and memory, of every generation, to be folded again. Must not commit."""
        forget(connection, self.book, self.view)

    def _generation(self, connection: Connection) -> int:
        if self.building is not None:
            return self.building
        standing = live_or_first(connection, self.book, self.view.name, self.view.version)
        if standing.fold_version != self.view.version:
            message = (
                f"the view {self.name} was folded by version {standing.fold_version} of its fold, and this"
                f" program has version {self.view.version}: coverledger projections rebuild {self.name}"
            )
            raise FoldChanged(message)
        return standing.generation


def shadow_name(view: str, generation: int) -> str:
    """Name the checkpoint of a generation that is being built: `limits@2`."""
    return f"{view}@{generation}"
