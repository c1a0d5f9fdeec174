"""One question's view of the world: a book at a position, and where asked, on a date."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from ledger.domain.identifiers import StreamRef
from ledger.feed.reader import FeedEvent, read_streams
from ledger.privacy.access import Opening
from ledger.store.canonical import stream_ref
from ledger.store.pool import Connection
from projections.asking.histories import first_position, read_scope
from projections.folding.rows import AsOf, Given, Source
from projections.folding.versions import Folding
from projections.folding.view import View

Memory = TypeVar("Memory")

SNAPSHOT = "set transaction isolation level repeatable read, read only"
"""First statement of the transaction that a question is answered in."""


@dataclass(slots=True)
class Reader:
    """Where questions find their rows: in the views as of a position, or folded for a date (`on`).

    With `on`, the streams asked for are folded from events up to the position with
    `effective_on` ≤ `on`; without, the views' own tables answer.
    """

    connection: Connection
    book: str
    position: int
    on: date | None = None
    opening: Opening | None = None
    """Opens personal values for whoever asks; None: they stay sealed."""
    folded: Mapping[str, int] = field(default_factory=dict)
    """How far views had come when the transaction's snapshot was taken; of others that is not known."""
    _events: dict[StreamRef | None, Sequence[FeedEvent]] = field(default_factory=dict)

    def source(self, view: View[Memory], scope: StreamRef | None = None) -> Source:
        """Give a view's rows; `scope`: of this stream, or of this contract and what belongs to it, alone."""
        if self.on is None:
            return AsOf(self.book, self.position, is_newest=self.folded.get(view.name) == self.position)
        folding = Folding(view, elsewhere=self._first_position)
        for event in self._read(scope):
            if event.effective_on <= self.on and (view.types is None or event.type in view.types):
                folding.take(event)
        return Given(folding.standing(), folding.standing_since())

    def events(self, stream: StreamRef, *, own: bool) -> Sequence[FeedEvent]:
        """Give a stream's events up to that time; not `own`: with those of what belongs to a contract."""
        if own:
            found: Sequence[FeedEvent] = read_streams(self.connection, self.book, [stream], self.position)
        else:
            found = self._read(stream)
        return [event for event in found if self.on is None or event.effective_on <= self.on]

    def around(self, scope: StreamRef | None) -> Sequence[FeedEvent]:
        """Give the events of a contract and all that belongs to it, or of the whole book, up to that time."""
        return [event for event in self._read(scope) if self.on is None or event.effective_on <= self.on]

    def _read(self, scope: StreamRef | None) -> Sequence[FeedEvent]:
        if scope not in self._events:
            self._events[scope] = read_scope(self.connection, self.book, scope, self.position)
        return self._events[scope]

    def _first_position(self, stream: str) -> int:
        return first_position(self.connection, self.book, stream_ref(stream))
