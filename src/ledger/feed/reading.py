"""Events of the feed as followers and readers see them, decoded only when looked into."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from ledger.domain.entries import Recorded
from ledger.domain.events import Event
from ledger.domain.identifiers import StreamRef
from ledger.store.pool import Connection


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One sealed event: its place in the feed, its envelope, and the event itself, decoded when first read."""

    position: int
    sealed_at: datetime
    stream: StreamRef
    version: int
    type: str
    schema_version: int
    event_id: UUID
    effective_on: date
    at: datetime
    recorded_at: datetime
    actor: str
    command_id: str
    ordinal: int
    correlation_id: UUID
    causation_id: UUID | None
    payload: bytes
    """The exact bytes recorded, in which personal data stands as ciphertext only."""
    decoded: list[Event] = field(default_factory=list, repr=False, compare=False)

    @property
    def event(self) -> Event:
        """The event, validated and upcast; Personal fields as Sealed. Raises Unreadable."""
        raise NotImplementedError

    @property
    def recorded(self) -> Recorded:
        """The event as folds take it. Raises Unreadable."""
        return Recorded(self.stream, self.version, self.event, self.effective_on, self.at)


def read_feed(
    connection: Connection, book: str, after: int, limit: int, types: Collection[str] | None = None
) -> list[FeedEvent]:
    """Read events at positions above `after` (from the start: -1), at most `limit` positions, in order.

    `types`: only these; the positions of others count towards `limit` all the same.
    """
    raise NotImplementedError
