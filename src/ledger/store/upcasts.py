"""Upcasts: how a payload of an older schema version reads in the next one. Added to, never taken from.

One function a step, registered by the event's stable name and the version it starts from. It is given the
payload's fields, without salt, and returns those of the next version. Personal fields stand as ciphertext and
are carried over.
"""

import json
from collections.abc import Callable

from ledger.store.canonical import canonical_json

Fields = dict[str, object]
Step = Callable[[Fields], Fields]

_STEPS: dict[tuple[str, int], Step] = {}


def upcasts_from(type_name: str, schema_version: int) -> Callable[[Step], Step]:
    """Register the step from `schema_version` of an event to the next."""

    def register(step: Step) -> Step:
        if (type_name, schema_version) in _STEPS:
            message = f"{type_name} version {schema_version} is upcast twice"
            raise ValueError(message)
        _STEPS[type_name, schema_version] = step
        return step

    return register


def upcast(type_name: str, from_version: int, to_version: int, fields: bytes) -> bytes:
    """Bring a payload's JSON from one schema version to another.

    Raises ValueError when no step leads there.
    """
    present: Fields = json.loads(fields)
    if from_version > to_version:
        message = f"{type_name} version {from_version} is newer than this program"
        raise ValueError(message)
    for version in range(from_version, to_version):
        step = _STEPS.get((type_name, version))
        if step is None:
            message = f"no upcast leads from {type_name} version {version}"
            raise ValueError(message)
        present = step(present)
    return canonical_json(present)
