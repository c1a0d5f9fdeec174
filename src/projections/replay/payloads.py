"""Payloads for reading: as recorded, and as understood now. Personal values are shut, or opened."""

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from ledger.feed.reader import FeedEvent
from ledger.store.vault import ERASED, sealed_values
from projections.replay.changes import Json

SEALED = "[sealed]"
"""Stands for a personal value: it is opened by those who may, when they ask for it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What may be shown of persons."""

    erased: AbstractSet[str]
    """Persons whose keys were destroyed: nobody will ever open their values again."""
    clear_texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Ciphertext → clear text, of what was opened for this reader."""


def persons_in(event: FeedEvent) -> frozenset[str]:
    """Name the persons whose values stand sealed in an event's payload, by their ids."""
    return frozenset(value.person for value in sealed_values(event.payload))


def opened_in(event: FeedEvent, known: Known) -> dict[str, str]:
    """Give what was opened of an event, by dotted paths."""
    return {
        value.path: known.clear_texts[value.box]
        for value in sealed_values(event.payload)
        if value.box in known.clear_texts
    }


def as_recorded(event: FeedEvent, known: Known) -> Json:
    """Give the payload as its bytes say, less the salt, which says nothing."""
    recorded: Json = json.loads(event.payload)
    if isinstance(recorded, dict):
        recorded.pop("salt", None)
    return shown(recorded, known)


def as_understood(event: FeedEvent, known: Known) -> Json:
    """Give the payload as today's program reads it, upcasts applied."""
    understood: Json = event.event.model_dump(mode="json")
    return shown(understood, known)


def shown(value: Json, known: Known) -> Json:
    """Put its clear text, `[sealed]` or `[erased]` in the place of every ciphertext."""
    if isinstance(value, dict):
        if value.keys() == {"person", "box"}:
            shut = ERASED if value["person"] in known.erased else SEALED
            return known.clear_texts.get(str(value["box"]), shut)
        return {name: shown(inner, known) for name, inner in value.items()}
    if isinstance(value, list):
        return [shown(inner, known) for inner in value]
    return value
