"""What a row of the archive holds: one sealed event, its payload as JSON, what is personal as ciphertext."""

from collections.abc import Iterable, Iterator
from typing import Final

from ledger.feed.reader import FeedEvent
from projections.exports.sheet import Row, sheet

EVENTS: Final = sheet(
    "events",
    position="integer",
    sealed_at="instant",
    stream="text",
    version="integer",
    type="text",
    schema_version="integer",
    event_id="text",
    effective_on="date",
    at="instant",
    recorded_at="instant",
    actor="text",
    command_id="text",
    ordinal="integer",
    correlation_id="text",
    causation_id="text",
    payload="text",
)


def archived(events: Iterable[FeedEvent]) -> Iterator[Row]:
    """Give events as rows. The payload is the exact text recorded, for its hash stands in the log's leaf."""
    for event in events:
        yield {
            "position": event.position,
            "sealed_at": event.sealed_at,
            "stream": event.stream.name,
            "version": event.version,
            "type": event.type,
            "schema_version": event.schema_version,
            "event_id": str(event.event_id),
            "effective_on": event.effective_on,
            "at": event.at,
            "recorded_at": event.recorded_at,
            "actor": event.actor,
            "command_id": event.command_id,
            "ordinal": event.ordinal,
            "correlation_id": str(event.correlation_id),
            "causation_id": None if event.causation_id is None else str(event.causation_id),
            "payload": event.payload.decode(),
        }
