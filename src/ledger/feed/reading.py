"""Events of the feed as followers and readers see them, decoded only when looked into."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID

from ledger.domain.event import Event, RecordedEvent
from ledger.domain.identifiers import StreamRef
from ledger.store.canonical import stream_ref
from ledger.store.events import read_payload
from ledger.store.feed import FeedRow, select_feed, select_streams
from ledger.store.pool import Connection


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One sealed event: its place in the feed, its envelope, and itself, decoded when first read."""

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
    _decoded: list[Event] = field(default_factory=list, repr=False, compare=False)

    @property
    def event(self) -> Event:
        """The event, validated and upcast; Personal fields as Sealed. Raises Unreadable."""
        if not self._decoded:
            self._decoded.append(
                read_payload(
                    self.payload,
                    type_name=self.type,
                    schema_version=self.schema_version,
                    stream=self.stream.name,
                    version=self.version,
                )
            )
        return self._decoded[0]

    @property
    def recorded(self) -> RecordedEvent:
        """The event as folds take it. Raises Unreadable."""
        return RecordedEvent(self.stream, self.version, self.event, self.effective_on, self.at)


def read_feed(
    connection: Connection, book: str, after: int, limit: int, types: Collection[str] | None = None
) -> list[FeedEvent]:
    """Read events at positions above `after` (from the start: -1), at most `limit` positions, in order.

    `types`: only these; the positions of others count towards `limit` all the same.
    """
    return feed_events(
        row for row in select_feed(connection, book, after, limit, types) if row.type is not None
    )


def read_streams(
    connection: Connection, book: str, streams: Sequence[StreamRef], position: int
) -> list[FeedEvent]:
    """Read the events of these streams at positions up to and including `position`, in order of position."""
    return feed_events(select_streams(connection, book, streams, position))


def feed_events(rows: Iterable[FeedRow]) -> list[FeedEvent]:
    """Turn rows of the feed into events; their payloads stay as they are."""
    return [
        FeedEvent(
            row.position,
            row.sealed_at.astimezone(UTC),
            stream_ref(row.stream),
            row.version,
            row.type,
            row.schema_version,
            UUID(row.event_id),
            row.effective_on,
            row.at.astimezone(UTC),
            row.recorded_at.astimezone(UTC),
            row.actor,
            row.command_id,
            row.ordinal,
            UUID(row.correlation_id),
            UUID(row.causation_id) if row.causation_id else None,
            bytes(row.payload),
        )
        for row in rows
    ]
