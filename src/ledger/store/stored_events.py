"""Stored events as `eventsourcing` knows them, with the ledger's envelope beside them."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

from ledger.store.subject_keys import SubjectKey


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
class LedgerStoredEvent(StoredEvent):
    """A stored event with its envelope. It equals a bare one of the same id, version, topic and state."""

    envelope: Envelope
    subject_key: SubjectKey | None = None
    """Key that sealed what is personal in the state; it must stand when the event is recorded."""

    def __eq__(self, other: object) -> bool:
        """Compare as `eventsourcing` does."""
        return isinstance(other, StoredEvent) and _bare(self) == _bare(other)

    def __hash__(self) -> int:
        """Hash what is compared."""
        return hash(_bare(self))


@dataclass(frozen=True)
class LedgerNotification(Notification):
    """A sealed event: its id is its position in the feed, plus one."""

    envelope: Envelope


def _bare(event: StoredEvent) -> tuple[UUID | str, int, str, bytes]:
    return event.originator_id, event.originator_version, event.topic, event.state
