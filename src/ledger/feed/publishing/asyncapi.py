"""The AsyncAPI 3 document: which events there are, and by which ways they come."""

import json
from functools import lru_cache
from importlib.metadata import version as installed_version
from typing import Any, Final

from ledger.domain.registry import EVENT_TYPES
from ledger.feed.publishing.cloud_events import (
    CONTENT_TYPE,
    SEQUENCE_DIGITS,
    type_of,
)
from ledger.feed.publishing.schemas import Schema, published_types, schema_of

_SPECIFICATION: Final = "3.0.0"

_ABOUT: Final = """Every sealed event of a book of business, in the order of its position, as CloudEvents 1.0.
Delivery is at least once, with stable ids, in order for each contract (`correlationid`). Personal data is
left out; `SubjectErased` says that what you may hold on a person is to be erased. Fields may be added: ignore
those that you do not know."""

_BOOK: Final = {"description": "The book of business.", "default": "cyber-care"}

_ENVELOPE: Final[Schema] = {
    "type": "object",
    "required": [
        *("specversion", "id", "source", "type", "subject", "time", "datacontenttype"),
        *("sequence", "streamversion", "effectiveon", "correlationid", "data"),
    ],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "format": "uuid", "description": "Id of the event: tell repetitions by it."},
        "source": {
            "type": "string",
            "format": "uri-reference",
            "description": "`/ledger/{book}`; after the log was put back, `/ledger/{book}/epoch/{n}`.",
        },
        "subject": {"type": "string", "description": "Stream of the event: `contract/CC-1`."},
        "time": {"type": "string", "format": "date-time", "description": "When it was recorded, UTC."},
        "datacontenttype": {"const": "application/json"},
        "sequence": {
            "type": "string",
            "pattern": f"^[0-9]{{{SEQUENCE_DIGITS}}}$",
            "description": "Position in the feed, dense from 0.",
        },
        "cursor": {
            "type": "string",
            "pattern": "^[1-9][0-9]*:[0-9]+$",
            "description": "From the second epoch on: the position with its epoch, to go on after.",
        },
        "streamversion": {
            "type": "integer",
            "minimum": 1,
            "description": "Place in its stream, without gaps.",
        },
        "effectiveon": {
            "type": "string",
            "format": "date",
            "description": "Business date on which it counts.",
        },
        "correlationid": {
            "type": "string",
            "format": "uuid",
            "description": "The contract that it belongs to.",
        },
        "causationid": {"type": "string", "format": "uuid", "description": "The event that caused it."},
    },
}


def envelope(type_prefix: str) -> Schema:
    """Return the schema of what a book's CloudEvents have around their `data`."""
    said = f"`{type_prefix}.{{kind}}.{{Event}}.v{{version}}`."
    properties = _ENVELOPE["properties"] | {"type": {"type": "string", "description": said}}
    return _ENVELOPE | {"properties": properties}


def asyncapi_document(type_prefix: str) -> Schema:
    """Give the document of a book as JSON holds it; the caller may change its copy."""
    return json.loads(_written(type_prefix))  # type: ignore[no-any-return]


@lru_cache(maxsize=4)
def _written(type_prefix: str) -> str:
    types = published_types(type_prefix)
    messages = {name: {"$ref": f"#/components/messages/{name}"} for name in types}
    return json.dumps(
        {
            "asyncapi": _SPECIFICATION,
            "info": {
                "title": "Claims ledger: events",
                "version": installed_version("coverledger"),
                "description": _ABOUT,
                "tags": [{"name": kind} for kind in ("contract", "claim", "complaint")],
            },
            "defaultContentType": CONTENT_TYPE,
            "servers": {
                "http": _server("https", "The ledger's own address."),
                "nats": _server("nats", "The NATS cluster that the relay publishes to."),
            },
            "channels": {
                "stream": {
                    "address": "/v1/{book}/events/stream",
                    "title": "Server-sent events",
                    "description": "`id` is the position; `Last-Event-ID` resumes after it.",
                    "servers": [{"$ref": "#/servers/http"}],
                    "parameters": {"book": _BOOK},
                    "messages": messages,
                },
                "webhook": {
                    "address": None,
                    "title": "Webhook",
                    "description": "POST to the address that the subscriber gave, by Standard Webhooks.",
                    "messages": messages,
                },
                "relay": {
                    "address": "claims.{book}.{kind}.{id}",
                    "title": "NATS JetStream",
                    "description": "`Nats-Msg-Id` is the event's id. In book and number whatever is no "
                    "letter, digit, `-` or `_` is written as %XX of its UTF-8 bytes.",
                    "servers": [{"$ref": "#/servers/nats"}],
                    "parameters": {
                        "book": _BOOK,
                        "kind": {
                            "enum": ["contract", "claim", "complaint"],
                            "description": "Kind of stream.",
                        },
                        "id": {"description": "Number of the contract, claim or complaint."},
                    },
                    "messages": messages,
                },
            },
            "operations": {
                f"send_{name}": {
                    "action": "send",
                    "title": title,
                    "channel": {"$ref": f"#/channels/{name}"},
                    "messages": [{"$ref": f"#/channels/{name}/messages/{message}"} for message in types],
                }
                for name, title in (
                    ("stream", "Stream the feed"),
                    ("webhook", "Deliver to a webhook"),
                    ("relay", "Relay to NATS JetStream"),
                )
            },
            "components": {
                "messages": {
                    type_of(name, version, type_prefix): _message(name, version, type_prefix)
                    for name, event_type in sorted(EVENT_TYPES.items())
                    for version in range(1, event_type.schema_version + 1)
                },
                "schemas": {
                    "Envelope": envelope(type_prefix),
                    **{name: _inlined(schema_of(name, type_prefix)) for name in types},
                },
            },
        }
    )


def _server(protocol: str, description: str) -> Schema:
    host = {"description": "Host and port.", "default": "ledger.example"}
    return {"host": "{host}", "protocol": protocol, "description": description, "variables": {"host": host}}


def _message(stable_name: str, version: int, type_prefix: str) -> Schema:
    published = type_of(stable_name, version, type_prefix)
    kind, _, event = stable_name.partition(".")
    return {
        "name": published,
        "title": event,
        "summary": (EVENT_TYPES[stable_name].__doc__ or event).splitlines()[0],
        "tags": [{"name": kind}],
        "contentType": CONTENT_TYPE,
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/Envelope"},
                {
                    "type": "object",
                    "properties": {
                        "type": {"const": published},
                        "data": {"$ref": f"#/components/schemas/{published}"},
                    },
                },
            ]
        },
    }


def _inlined(schema: Schema) -> Schema:
    """Put each definition where it is referred to: in the document `#/$defs` would lead elsewhere."""
    definitions: Schema = schema.pop("$defs", {})
    schema.pop("$schema", None)
    schema.pop("$id", None)

    def inline(part: Any) -> Any:  # noqa: ANN401  # whatever a schema holds
        if isinstance(part, list):
            return [inline(inner) for inner in part]
        if not isinstance(part, dict):
            return part
        if isinstance(part.get("$ref"), str):
            beside = {key: inline(value) for key, value in part.items() if key != "$ref"}
            return inline(definitions[part["$ref"].removeprefix("#/$defs/")]) | beside
        return {key: inline(value) for key, value in part.items()}

    told: Schema = inline(schema)
    return told
