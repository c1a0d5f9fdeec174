"""Between the ledger's events and `eventsourcing`'s stored events: stable names, validation on read, upcasts.

The stock mapper stores Python paths and rebuilds objects without looking at them. Here a stored event's topic
is the event's stable name, its state the canonical payload, and reading it back validates and upcasts.
"""

from dataclasses import dataclass
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent

from ledger.domain.entries import Recorded
from ledger.store.errors import Unreadable
from ledger.store.payload import read_payload, write_payload
from ledger.store.stored_events import Envelope, LedgerNotification, LedgerStoredEvent
from ledger.store.streams import stream_ref


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """A recorded event as `eventsourcing` carries it: the domain's, with the ledger's envelope."""

    originator_id: UUID
    originator_version: int
    recorded: Recorded
    envelope: Envelope


class LedgerMapper(Mapper[UUID]):
    """Maps the ledger's own events. `MAPPER_TOPIC=ledger.store.mapper:LedgerMapper`.

    Neither compressor nor cipher apply: payloads are hashed as they stand, and personal data is sealed field
    by field.
    """

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> LedgerStoredEvent:
        """Write an event whose personal fields, if any, are sealed already.

        Raises ValueError when something personal stands in clear: such events are recorded by commits, with
        their key.
        """
        if not isinstance(domain_event, LedgerEvent):
            message = f"{type(domain_event).__name__} is no event of the ledger"
            raise TypeError(message)
        recorded, envelope = domain_event.recorded, domain_event.envelope
        payload = write_payload(
            recorded.event,
            book="",
            stream=recorded.stream.name,
            version=recorded.version,
            subject=None,
            key=None,
        )
        return LedgerStoredEvent(
            domain_event.originator_id, recorded.version, recorded.event.stable_name, payload, envelope
        )

    def to_domain_event(self, stored_event: StoredEvent) -> LedgerEvent:
        """Read an event back, validated and upcast. Raises Unreadable."""
        if not isinstance(stored_event, (LedgerStoredEvent, LedgerNotification)):
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
        recorded = Recorded(
            stream_ref(envelope.stream),
            stored_event.originator_version,
            event,
            envelope.effective_on,
            envelope.at,
        )
        return LedgerEvent(UUID(str(stored_event.originator_id)), recorded.version, recorded, envelope)
