"""What others are told of an event: CloudEvents, their schemas, and the document that describes the feed.

Pure: no database, no clock, no network. Personal data never leaves here, neither in clear nor as ciphertext.

- CloudEvents 1.0 (JSON format), for every way out: HTTP, SSE, webhooks, NATS
- JSON Schema (2020-12) of the `data` of every event type and version that others are told of
- the AsyncAPI 3 document: which events there are, and by which ways they come
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version as installed_version
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote

from pydantic.json_schema import models_json_schema

from ledger.domain.event import Sealed, personal_fields
from ledger.domain.registry import EVENT_TYPES
from ledger.feed.reader import FIRST_EPOCH, Cursor, FeedEvent
from ledger.store.canonical import instant_text
from ledger.store.events import SALT
from ledger.store.log import Epoch
from ledger.store.vault import at_path

_SEALED: Final = frozenset(Sealed.model_fields)


def without_personal(type_name: str, fields: Mapping[str, object]) -> dict[str, object]:
    """Leave out every personal field of an event of this type, and whatever is sealed, wherever it stands.

    The second holds for older schema versions too, whose personal fields may have had other names. A field
    is left out whether it was filled or not. Raises KeyError for a type that does not exist.
    """
    kept = _without_sealed(fields)
    for path in personal_paths(type_name):
        found = at_path(kept, path)
        if found is not None:
            holder, name = found
            del holder[name]
    return kept


@lru_cache(maxsize=256)
def personal_paths(type_name: str) -> tuple[tuple[str, ...], ...]:
    """Return the paths of an event type's personal fields: `("policyholder", "name")`."""
    return tuple(tuple(path.split(".")) for path in personal_fields(EVENT_TYPES[type_name]))


def _without_sealed(fields: Mapping[str, object]) -> dict[str, object]:
    return {
        name: _without_sealed(value) if isinstance(value, dict) else value
        for name, value in fields.items()
        if not (isinstance(value, dict) and value.keys() == _SEALED)
    }


CONTENT_TYPE: Final = "application/cloudevents+json"
"""Of one event."""
BATCH_CONTENT_TYPE: Final = "application/cloudevents-batch+json"
"""Of an array of events."""
SEQUENCE_DIGITS: Final = 19
"""As many as the largest position has, so that sequences sort as text."""


def cloud_event(event: FeedEvent, book: str, epoch: int = 1, *, type_prefix: str) -> dict[str, object]:
    """Return one event of a book as a CloudEvent.

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
    """Return the source: `/ledger/cyber-care`; after the log was put back `/ledger/cyber-care/epoch/2`."""
    source = f"/ledger/{quote(book, safe='')}"
    return source if epoch == 1 else f"{source}/epoch/{epoch}"


def type_of(stable_name: str, schema_version: int, type_prefix: str) -> str:
    """Return the type as subscribers know it: `coverledger.claim.RefundIssued.v1`."""
    return f"{type_prefix}.{stable_name}.v{schema_version}"


def epoch_of(position: int, epochs: Sequence[Epoch]) -> int:
    """Return which epoch gave a position its event: the newest of those that begin at or before it."""
    return max((epoch.epoch for epoch in epochs if epoch.from_position <= position), default=1)


def _data(event: FeedEvent) -> Mapping[str, object]:
    fields: dict[str, object] = json.loads(event.payload)
    fields.pop(SALT, None)
    return without_personal(event.type, fields)


DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]
"""A JSON Schema object."""


class SchemaUnknown(LookupError):
    """No event of this type and version exists."""

    def __init__(self, type_name: str, type_prefix: str) -> None:
        super().__init__(
            f"there is no event type {type_name[:100]!r}; write it as {type_prefix}.claim.RefundIssued.v1"
        )


def published_types(type_prefix: str) -> Sequence[str]:
    """Return every type with each of its versions, as a book's CloudEvents do, in alphabetical order."""
    return sorted(
        type_of(name, version, type_prefix)
        for name, event_type in EVENT_TYPES.items()
        for version in range(1, event_type.schema_version + 1)
    )


def schema_of(published_type: str, type_prefix: str) -> Schema:
    """Return the schema of one type's `data`: `coverledger.claim.RefundIssued.v1`. Raises SchemaUnknown.

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


def each_schema(part: object, change: Callable[[Schema], Schema]) -> object:
    """Change each outermost schema in a part of one; what is none stays."""
    if isinstance(part, list):
        return [each_schema(inner, change) for inner in part]
    return change(part) if isinstance(part, dict) else part


def _for_others(schema: Schema) -> Schema:
    """Return it as others read it: patterns as ECMA 262 writes them, and open to fields that come later."""
    told: Schema = {
        key: each_schema(value, _for_others) for key, value in schema.items() if key != "additionalProperties"
    }
    if isinstance(told.get("pattern"), str):
        told["pattern"] = told["pattern"].replace(r"\A", "^").replace(r"\z", "$")
    return told


def _referred(schema: object, definitions: Schema) -> set[str]:
    """Return the definitions that a schema needs, directly or through others."""
    if isinstance(schema, list):
        return set().union(*(_referred(inner, definitions) for inner in schema))
    if not isinstance(schema, dict):
        return set()
    found = set().union(*(_referred(inner, definitions) for inner in schema.values()))
    if isinstance(schema.get("$ref"), str):
        name = schema["$ref"].removeprefix("#/$defs/")
        found |= {name} | _referred(definitions[name], definitions)
    return found


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
    """Return the document of a book as JSON holds it; the caller may change its copy."""
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

    def inline(part: Schema) -> Schema:
        told = {key: each_schema(value, inline) for key, value in part.items() if key != "$ref"}
        if isinstance(part.get("$ref"), str):
            return inline(definitions[part["$ref"].removeprefix("#/$defs/")]) | told
        return told

    return inline(schema)
