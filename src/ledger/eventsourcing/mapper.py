"""Between the ledger's events and `eventsourcing`'s stored events: stable names, validation on read, upcasts.

The stock mapper stores Python paths and rebuilds objects without looking at them. Here a stored event's topic
is the event's stable name, its state the canonical payload, and reading it back validates and upcasts. The
ledger's envelope lies beside it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from eventsourcing import persistence
from eventsourcing.domain import DomainEventProtocol

from ledger.domain.event import NOT_YET, PendingEvent, RecordedEvent
from ledger.store.canonical import stream_ref
from ledger.store.errors import Unreadable
from ledger.store.events import read_payload, write_payload


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the ledger records of an event beside its topic (the stable name) and its state (the payload)."""

    stream: str
    """`contract/CC-1`; the id's own text for streams that the ledger's domain does not know."""
    schema_version: int
    event_id: UUID
    effective_on: date
    at: datetime
    command_id: str
    actor: str
    correlation_id: UUID
    causation_id: UUID | None = None
    recorded_at: datetime | None = None
    """None until it is recorded."""
    ordinal: int | None = None
    """None until it is recorded."""


@dataclass(frozen=True, eq=False)
class StoredEvent(persistence.StoredEvent):
    """The library's stored event with our envelope.

    It equals a bare one of the same id, version, topic and state.
    """

    originator_id: UUID
    envelope: Envelope

    def __eq__(self, other: object) -> bool:
        """Compare as `eventsourcing` does."""
        return isinstance(other, persistence.StoredEvent) and _bare(self) == _bare(other)

    def __hash__(self) -> int:
        """Hash what is compared."""
        return hash(_bare(self))


@dataclass(frozen=True)
class Notification(persistence.Notification):
    """A sealed event: its id is its position in the feed, plus one."""

    envelope: Envelope


def _bare(event: persistence.StoredEvent) -> tuple[UUID | str, int, str, bytes]:
    return event.originator_id, event.originator_version, event.topic, event.state


class LedgerMapper(persistence.Mapper[UUID]):
    """Maps the ledger's own events. `MAPPER_TOPIC=ledger.eventsourcing.mapper:LedgerMapper`.

    Neither compressor nor cipher apply: payloads are hashed as they stand, and personal data is sealed field
    by field.
    """

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """Write a numbered event whose personal fields, if any, are sealed already.

        Raises ValueError when something personal stands in clear, or the event has no place yet.
        """
        if not isinstance(domain_event, PendingEvent):
            message = f"{type(domain_event).__name__} is no event of the ledger"
            raise TypeError(message)
        event = domain_event
        if NOT_YET in {event.originator_id, event.correlation_id, event.event_id}:
            message = f"{event.type} on {event.stream.name} has no place yet: record it through the ledger"
            raise ValueError(message)
        envelope = Envelope(
            event.stream.name,
            event.event.schema_version,
            event.event_id,
            event.effective_on,
            event.at,
            event.command_id,
            event.actor,
            event.correlation_id,
            event.causation_id,
        )
        return StoredEvent(
            event.originator_id, event.version, event.type, write_payload(event.event), envelope
        )

    def to_domain_event(self, stored_event: persistence.StoredEvent) -> RecordedEvent:
        """Read an event back, validated and upcast. Raises Unreadable."""
        if not isinstance(stored_event, (StoredEvent, Notification)):
            reason = "it bears no envelope: read it through the ledger's recorders"
            raise Unreadable(str(stored_event.originator_id), stored_event.originator_version, reason)
        envelope = stored_event.envelope
        event = read_payload(
            stored_event.state,
            type_name=stored_event.topic,
            schema_version=envelope.schema_version,
            stream=envelope.stream,
            version=stored_event.originator_version,
        )
        return RecordedEvent(
            stream_ref(envelope.stream),
            stored_event.originator_version,
            event,
            envelope.effective_on,
            envelope.at,
            position=stored_event.id - 1 if isinstance(stored_event, Notification) else None,
            originator_id=UUID(str(stored_event.originator_id)),
            event_id=envelope.event_id,
            command_id=envelope.command_id,
            actor=envelope.actor,
            correlation_id=envelope.correlation_id,
            causation_id=envelope.causation_id,
        )
