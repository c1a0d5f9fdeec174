"""An event as others are told of it: CloudEvents 1.0, read by an SDK not ours, nothing personal in it."""

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from fixtures.published_events import BOOK, RECORDED_AT, every_event, feed_event
from ledger.domain.event import personal_fields
from ledger.domain.registry import EVENT_TYPES
from ledger.feed.publish import (
    CONTENT_TYPE,
    SchemaUnknown,
    asyncapi_document,
    cloud_event,
    cloud_event_json,
    epoch_of,
    published_types,
    schema_of,
    source_of,
    without_personal,
)
from ledger.feed.reader import FeedEvent
from ledger.store.log import Epoch

EVENTS = list(every_event())
PREFIX = "coverledger"


def name_of(event: FeedEvent) -> str:
    return f"{event.type}.v{event.schema_version}"


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_the_cloudevents_sdk_parses_every_event_type(event: FeedEvent) -> None:
    sent = HTTPMessage({"content-type": CONTENT_TYPE}, cloud_event_json(event, BOOK, type_prefix=PREFIX))
    read = from_http(sent, JSONFormat(), CloudEvent)
    assert read.get_id() == str(event.event_id)
    assert read.get_source() == "/ledger/cyber-care"
    assert read.get_type() == f"coverledger.{event.type}.v{event.schema_version}"
    assert read.get_subject() == event.stream.name
    assert read.get_time() == RECORDED_AT
    assert read.get_extension("sequence") == f"{event.position:019d}"
    assert read.get_extension("streamversion") == event.version
    assert read.get_extension("effectiveon") == "2026-02-28"
    assert read.get_extension("correlationid") == str(event.correlation_id)
    caused_by = str(event.causation_id) if event.causation_id else None
    assert read.get_extension("causationid") == caused_by
    assert read.get_data() == cloud_event(event, BOOK, type_prefix=PREFIX)["data"]


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_every_events_data_is_as_its_schema_says_and_the_schema_has_nothing_personal(
    event: FeedEvent,
) -> None:
    told = cloud_event(event, BOOK, type_prefix=PREFIX)
    schema = schema_of(str(told["type"]), PREFIX)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(closed(schema))
    validator.validate(told["data"])
    fields = set(json.loads(event.payload)) - {"salt"}
    personal = {path for path in personal_fields(EVENT_TYPES[event.type]) if "." not in path}
    assert set(told["data"]) == fields - personal  # type: ignore[call-overload]  # an object


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_nothing_personal_is_told_neither_in_clear_nor_as_ciphertext(event: FeedEvent) -> None:
    told = cloud_event(event, BOOK, type_prefix=PREFIX)["data"]
    for path in personal_fields(EVENT_TYPES[event.type]):
        held: Any = told
        for step in path.split(".")[:-1]:
            held = held[step]
        assert path.split(".")[-1] not in held
    assert "box" not in cloud_event_json(event, BOOK, type_prefix=PREFIX).decode()
    assert "salt" not in cloud_event_json(event, BOOK, type_prefix=PREFIX).decode()


def test_a_sealed_value_is_left_out_wherever_it_stands_also_under_a_name_of_an_older_version() -> None:
    sealed = {"person": "P-1", "box": "AAAA"}
    fields = {"method": "callback", "note": sealed, "inner": {"deep": sealed, "kept": 1}}
    assert without_personal("claim.ClaimantIdentified", fields) == {
        "method": "callback",
        "inner": {"kept": 1},
    }
    assert fields["note"] == sealed, "what was given is left as it was"


def test_the_same_event_is_always_the_same_bytes_and_sequences_sort_as_text() -> None:
    assert [cloud_event_json(event, BOOK, type_prefix=PREFIX) for event in EVENTS] == [
        cloud_event_json(event, BOOK, type_prefix=PREFIX) for event in every_event()
    ]
    payload = EVENTS[0].payload
    sequences = [
        cloud_event(feed_event(EVENTS[0].type, 1, payload, position=position), BOOK, type_prefix=PREFIX)[
            "sequence"
        ]
        for position in (0, 9, 10, 999, 10**18)
    ]
    assert sequences == sorted(sequences, key=str)


def test_a_log_that_was_put_back_speaks_under_another_source_from_there_on() -> None:
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    epochs = [
        Epoch(1, "o/1", 0, begun, "created"),
        Epoch(2, "o/2", 100, begun, "restored"),
        Epoch(3, "o/3", 50, begun, "restored"),
    ]
    assert [epoch_of(position, epochs) for position in (0, 49, 50, 99, 100)] == [1, 1, 3, 3, 3]
    assert epoch_of(120, epochs[:2]) == 2
    assert (source_of("a b"), source_of("cyber-care", 2)) == ("/ledger/a%20b", "/ledger/cyber-care/epoch/2")


def test_there_is_a_schema_of_every_type_and_version_and_of_no_other() -> None:
    assert len(published_types(PREFIX)) == sum(
        event_type.schema_version for event_type in EVENT_TYPES.values()
    )
    assert {f"coverledger.{name_of(event)}" for event in EVENTS} == set(published_types(PREFIX))
    for unknown in (
        "coverledger.claim.RefundIssued.v2",
        "claim.RefundIssued.v1",
        "coverledger..v1",
        "../x",
    ):
        with pytest.raises(SchemaUnknown):
            schema_of(unknown, PREFIX)


def test_a_book_of_before_has_the_types_of_before_in_events_schemas_and_document() -> None:
    former = "claims-ledger"
    assert {name.partition(".")[0] for name in published_types(former)} == {former}
    for event in EVENTS:
        told, now = (cloud_event(event, BOOK, type_prefix=prefix) for prefix in (former, PREFIX))
        assert told == now | {"type": f"{former}.{name_of(event)}"}
        schema = schema_of(str(told["type"]), former)
        assert schema["$id"] == f"urn:{former}:{name_of(event)}"
        assert schema == schema_of(str(now["type"]), PREFIX) | {"$id": schema["$id"]}
    with pytest.raises(SchemaUnknown, match=r"write it as claims-ledger\.claim"):
        schema_of("coverledger.claim.RefundIssued.v1", former)
    assert set(asyncapi_document(former)["components"]["messages"]) == set(published_types(former))


def closed(schema: Any) -> Any:  # noqa: ANN401  # whatever a schema holds
    """The same schema, but fields that it does not name are refused: so that none is told by mistake."""
    if isinstance(schema, list):
        return [closed(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: closed(value) for key, value in schema.items()}
    return told | {"additionalProperties": False} if isinstance(told.get("properties"), dict) else told
