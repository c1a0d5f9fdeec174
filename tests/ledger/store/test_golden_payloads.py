"""Each event name and schema version keeps a payload that must load for ever.

Add files, never change or remove one.
"""

import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from ledger.domain.event import Sealed, personal_fields
from ledger.domain.registry import EVENT_TYPES
from ledger.store.canonical import canonical_json
from ledger.store.events import SALT, read_payload

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.iterdir())


def name_and_version(file: Path) -> tuple[str, int]:
    name, _, version = file.stem.rpartition(".v")
    return name, int(version)


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_each_version_of_each_event_has_a_golden_payload(name: str) -> None:
    for version in range(1, EVENT_TYPES[name].schema_version + 1):
        assert (GOLDEN / f"{name}.v{version}.json").is_file(), (
            f"keep a payload of {name} version {version} in tests/ledger/store/golden, as it is stored"
        )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_golden_payload_loads_for_ever(file: Path) -> None:
    name, version = name_and_version(file)
    payload = file.read_bytes().rstrip(b"\n")
    event = read_payload(payload, type_name=name, schema_version=version, stream="golden/1", version=1)
    assert event.stable_name == name
    if version == type(event).schema_version:
        fields = event.model_dump(mode="json") | {SALT: json.loads(payload)[SALT]}
        assert canonical_json(fields) == payload
    for path in personal_fields(type(event)):
        value: object = event
        for step in path.split("."):
            value = getattr(value, step)
        assert value is None or isinstance(value, Sealed)


def test_no_event_has_a_field_of_the_salts_name() -> None:
    for event_type in EVENT_TYPES.values():
        assert SALT not in field_names(event_type)


def field_names(model: type[BaseModel]) -> set[str]:
    """All names of fields, however deep, as its schema tells."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return {name for part in parts for name in part.get("properties", {})}
