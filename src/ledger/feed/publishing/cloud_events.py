"""A sealed event as a CloudEvent 1.0 (JSON format), for every way out: HTTP, SSE, webhooks, NATS."""

import json
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from ledger.feed.epochs import FIRST_EPOCH, Cursor
from ledger.feed.publishing.personal import without_personal
from ledger.feed.reading import FeedEvent
from ledger.store.canonical import instant_text
from ledger.store.events import SALT
from ledger.store.log import Epoch

CONTENT_TYPE: Final = "application/cloudevents+json"
"""Of one event."""
BATCH_CONTENT_TYPE: Final = "application/cloudevents-batch+json"
"""Of an array of events."""
SEQUENCE_DIGITS: Final = 19
"""As many as the largest position has, so that sequences sort as text."""


def cloud_event(event: FeedEvent, book: str, epoch: int = 1, *, type_prefix: str) -> dict[str, object]:
    """Give one event of a book as a CloudEvent.

    `epoch`: the one that the position belongs to (`epoch_of`). `type_prefix`: the book's own. `data` is the
    payload as it was recorded, in the schema version that the type names, personal fields left out.
    `sequence` is the position; from the second epoch on `cursor` names the epoch with it, and is what a
    reader goes on after.
    """
    told: dict[str, object] = {
        "specversion": "1.0",
        "id": str(event.event_id),
        "source": source_of(book, epoch),
        "type": type_of(event.type, event.schema_version, type_prefix),
        "subject": event.stream.name,
        "time": instant_text(event.recorded_at),
        "datacontenttype": "application/json",
        "sequence": f"{event.position:0{SEQUENCE_DIGITS}d}",
        "streamversion": event.version,
        "effectiveon": event.effective_on.isoformat(),
        "correlationid": str(event.correlation_id),
    }
    if event.causation_id is not None:
        told["causationid"] = str(event.causation_id)
    if epoch != FIRST_EPOCH:
        told["cursor"] = str(Cursor(epoch, event.position))
    told["data"] = _data(event)
    return told


def cloud_event_json(event: FeedEvent, book: str, epoch: int = 1, *, type_prefix: str) -> bytes:
    """Write one event as the bytes that are sent: the same bytes at each try."""
    return json.dumps(
        cloud_event(event, book, epoch, type_prefix=type_prefix), ensure_ascii=False, separators=(",", ":")
    ).encode()


def source_of(book: str, epoch: int = 1) -> str:
    """Name who says it: `/ledger/cyber-care`; after the log was put back `/ledger/cyber-care/epoch/2`."""
    source = f"/ledger/{quote(book, safe='')}"
    return source if epoch == 1 else f"{source}/epoch/{epoch}"


def type_of(stable_name: str, schema_version: int, type_prefix: str) -> str:
    """Name the type as subscribers know it: `coverledger.claim.RefundIssued.v1`."""
    return f"{type_prefix}.{stable_name}.v{schema_version}"


def epoch_of(position: int, epochs: Sequence[Epoch]) -> int:
    """Say which epoch gave a position its event: the newest of those that begin at or before it."""
    return max((epoch.epoch for epoch in epochs if epoch.from_position <= position), default=1)


def _data(event: FeedEvent) -> Mapping[str, object]:
    fields: dict[str, object] = json.loads(event.payload)
    fields.pop(SALT, None)
    return without_personal(event.type, fields)
