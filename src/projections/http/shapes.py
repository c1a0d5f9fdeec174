"""The shapes of what is shown of one contract, claim or complaint, for the OpenAPI document."""

from typing import Any, Final

from projections.http.lists import LISTS, row_schema

ETAG: Final = {"ETag": {"description": "Version of the stream, for If-Match.", "schema": {"type": "string"}}}

EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "required": [
        *(
            "position",
            "stream",
            "version",
            "type",
            "effective_on",
            "at",
            "recorded_at",
            "actor",
            "command_id",
        ),
    ],
    "properties": {
        "position": {"type": "integer"},
        "stream": {"type": "string"},
        "version": {"type": "integer"},
        "type": {"type": "string"},
        "effective_on": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "recorded_at": {"type": "string", "format": "date-time"},
        "actor": {"type": "string"},
        "command_id": {"type": "string"},
    },
}
REPLAYED: Final[dict[str, Any]] = EVENT | {
    "properties": EVENT["properties"]
    | {
        "changes": {
            "type": "object",
            "description": "Dotted path → [before, after].",
            "additionalProperties": {"type": "array", "minItems": 2, "maxItems": 2},
        },
        "payload": {"type": "object"},
        "original": {"type": "object", "description": "As recorded, where it is understood otherwise today."},
        "personal": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


def array_of(items: dict[str, Any]) -> dict[str, Any]:
    """Give the schema of a list of these."""
    return {"type": "array", "items": items}


def shown(plural: str, nested: tuple[str, ...]) -> dict[str, Any]:
    """Give the schema of one contract, claim or complaint, with the lists that stand in it."""
    rows = {listed.name: row_schema(listed) for listed in LISTS}
    row = rows[plural]
    lists = {name: array_of(rows.get(name, {"type": "object"})) for name in nested}
    persons = {"persons": array_of({"type": "object", "required": ["person"]})}
    properties = row["properties"] | lists | persons
    return row | {"required": sorted({*row["required"], *nested}), "properties": properties}
