"""Payloads for reading: as recorded, and as understood now. Personal values stay shut."""

import json
from collections.abc import Set as AbstractSet

from ledger.feed.reading import FeedEvent
from ledger.store.personal import ERASED
from ledger.store.personal_reading import sealed_values
from projections.replay.changes import Json

SEALED = "[sealed]"
"""Stands for a personal value: it is opened by those who may, when they ask for it."""

Erased = AbstractSet[str]
"""Persons whose keys were destroyed: nobody will ever open their values again."""


def persons_in(event: FeedEvent) -> frozenset[str]:
    """Name the persons whose values stand sealed in an event's payload, by their ids."""
    return frozenset(value.person for value in sealed_values(event.payload))


def as_recorded(event: FeedEvent, erased: Erased) -> Json:
    """Give the payload as its bytes say, less the salt, which says nothing."""
    recorded: Json = json.loads(event.payload)
    if isinstance(recorded, dict):
        recorded.pop("salt", None)
    return shut(recorded, erased)


def as_understood(event: FeedEvent, erased: Erased) -> Json:
    """Give the payload as today's program reads it, upcasts applied."""
    understood: Json = event.event.model_dump(mode="json")
    return shut(understood, erased)


def shut(value: Json, erased: Erased) -> Json:
    """Put `[sealed]`, or `[erased]`, in the place of every ciphertext."""
    if isinstance(value, dict):
        if value.keys() == {"person", "box"}:
            return ERASED if value["person"] in erased else SEALED
        return {name: shut(inner, erased) for name, inner in value.items()}
    if isinstance(value, list):
        return [shut(inner, erased) for inner in value]
    return value
