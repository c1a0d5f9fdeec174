"""JSON Schema (2020-12) of the `data` of every event type and version that others are told of."""

import json
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from ledger.domain.registry import EVENT_TYPES
from ledger.feed.publishing.cloud_events import type_of
from ledger.feed.publishing.personal import personal_paths

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]
"""A JSON Schema object."""


class SchemaUnknown(LookupError):
    """No event of this type and version exists."""

    def __init__(self, type_name: str, type_prefix: str) -> None:
        """Name what was asked for."""
        super().__init__(
            f"there is no event type {type_name[:100]!r}; write it as {type_prefix}.claim.RefundIssued.v1"
        )


def published_types(type_prefix: str) -> Sequence[str]:
    """Name every type with each of its versions, as a book's CloudEvents do, in alphabetical order."""
    return sorted(
        type_of(name, version, type_prefix)
        for name, event_type in EVENT_TYPES.items()
        for version in range(1, event_type.schema_version + 1)
    )


def schema_of(published_type: str, type_prefix: str) -> Schema:
    """Give the schema of one type's `data`: `coverledger.claim.RefundIssued.v1`. Raises SchemaUnknown.

    Personal fields are not in it. Fields may be added within a version; what is unknown is to be ignored.
    """
    if published_type not in published_types(type_prefix):
        raise SchemaUnknown(published_type, type_prefix)
    name, _, version = published_type.removeprefix(f"{type_prefix}.").rpartition(".v")
    if int(version) == EVENT_TYPES[name].schema_version:
        return json.loads(_present(name, type_prefix))  # type: ignore[no-any-return]  # a copy: callers may change theirs
    older = files(__package__).joinpath("older", f"{name}.v{version}.json")
    return json.loads(older.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@lru_cache(maxsize=256)
def _present(name: str, type_prefix: str) -> str:
    event_type = EVENT_TYPES[name]
    _, whole = models_json_schema([(event_type, "serialization")], ref_template="#/$defs/{model}")
    definitions: Schema = whole["$defs"]
    schema: Schema = definitions.pop(event_type.__name__)
    for path in personal_paths(name):
        _leave_out(schema, definitions, path)
    schema = _for_others(schema)
    used = _referred(schema, definitions)
    head = {"$schema": DIALECT, "$id": f"urn:{type_prefix}:{name}.v{event_type.schema_version}"}
    inner = {key: _for_others(definitions[key]) for key in sorted(used)}
    return json.dumps(head | schema | ({"$defs": inner} if inner else {}))


def _leave_out(schema: Schema, definitions: Schema, path: Sequence[str]) -> None:
    """Take one field out of a schema, through the definitions that lead there."""
    for step in path[:-1]:
        reference: str = schema["properties"][step]["$ref"]
        schema = definitions[reference.removeprefix("#/$defs/")]
    del schema["properties"][path[-1]]
    if path[-1] in schema.get("required", ()):
        schema["required"].remove(path[-1])


def _for_others(part: Any) -> Any:  # noqa: ANN401  # whatever a schema holds
    """Say it as others read it: patterns as ECMA 262 writes them, and open to fields that come later."""
    if isinstance(part, list):
        return [_for_others(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    told = {key: _for_others(value) for key, value in part.items() if key != "additionalProperties"}
    if isinstance(told.get("pattern"), str):
        told["pattern"] = told["pattern"].replace(r"\A", "^").replace(r"\z", "$")
    return told


def _referred(schema: Any, definitions: Schema) -> set[str]:  # noqa: ANN401  # as above
    """Name the definitions that a schema needs, directly or through others."""
    if isinstance(schema, list):
        return set().union(*(_referred(inner, definitions) for inner in schema))
    if not isinstance(schema, dict):
        return set()
    found = set().union(*(_referred(inner, definitions) for inner in schema.values()))
    if isinstance(schema.get("$ref"), str):
        name = schema["$ref"].removeprefix("#/$defs/")
        found |= {name} | _referred(definitions[name], definitions)
    return found
