"""Payloads for reading: as they were recorded, and as they are understood now. Personal values stay shut."""

import json

from ledger.feed.reading import FeedEvent
from projections.replay.changes import Json

SEALED = "[sealed]"
"""Stands for a personal value: it is opened by those who may, when they ask for it."""


def as_recorded(event: FeedEvent) -> Json:
    """Give the payload as its bytes say, less the salt, which says nothing."""
    recorded: Json = json.loads(event.payload)
    if isinstance(recorded, dict):
        recorded.pop("salt", None)
    return closed(recorded)


def as_understood(event: FeedEvent) -> Json:
    """Give the payload as today's program reads it, upcasts applied."""
    understood: Json = event.event.model_dump(mode="json")
    return closed(understood)


def closed(value: Json) -> Json:
    """Put `[sealed]` in the place of every ciphertext."""
    if isinstance(value, dict):
        if value.keys() == {"person", "box"}:
            return SEALED
        return {name: closed(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [closed(inner) for inner in value]
    return value
