"""Histories: the events of a stream or of the feed as rows, and what each one changed."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TypeAlias

from ledger.domain.contract.state import Contract, limit_rows
from ledger.domain.dispatch import State, fold, state_to_json
from ledger.domain.identifiers import StreamRef
from ledger.domain.terms import packaged_terms
from ledger.errors import Rejected
from ledger.feed.reader import FeedEvent
from ledger.store.pool import Connection
from ledger.store.vault import ERASED, sealed_values
from projections.queries.reader import Reader, stored

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

Changes = dict[str, list[Json]]
"""Dotted path → [before, after]; what is not there yet, or no longer, stands as null."""


def changes(before: Json, after: Json) -> Changes:
    """Compare two states as JSON. Paths are in alphabetical order, list items by their number from 0."""
    was, is_now = dict(_leaves(before, "")), dict(_leaves(after, ""))
    differing = (path for path in sorted(was.keys() | is_now.keys()) if was.get(path) != is_now.get(path))
    return {path: [was.get(path), is_now.get(path)] for path in differing}


def _leaves(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    """Walk down to what has nothing below it; an empty list or object is such a leaf, read as null."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{index}" if path else str(index))
    else:
        yield path, value


Fields = dict[str, Json]

UNSAID = frozenset({"deadlines", "last_at", "usages", "years_begun", "named_first"})
"""What is told in other words, or stands beside each change anyway."""


def readable(state: State | None) -> Fields:
    """Return a state as JSON: due rows by kind and number, limits by insurance year and guarantee.

    None, a stream that has not begun, has nothing to read.
    """
    if state is None:
        return {}
    whole: Fields = json.loads(state_to_json(state))
    told = {name: value for name, value in whole.items() if name not in UNSAID}
    if isinstance(state, Contract):
        told |= {"status": state.status, "ends_on": state.ends_on.isoformat()} | _limits(state)
    return told | _due(state)


def _due(state: State) -> Fields:
    return {
        f"due.{row.kind}.{row.seq}": {
            "due_on": row.due_on.isoformat(),
            "status": row.status,
            "met_on": None if row.met_on is None else row.met_on.isoformat(),
        }
        for row in state.deadlines
    }


def _limits(contract: Contract) -> Fields:
    return {
        f"limits.{row.insurance_year}.{row.guarantee}": {
            "amount_consumed_cents": row.amount_consumed_cents,
            "amount_reserved_cents": row.amount_reserved_cents,
            "count_consumed": row.count_consumed,
            "count_reserved": row.count_reserved,
        }
        for row in limit_rows(contract, packaged_terms())
    }


SEALED = "[sealed]"
"""Stands for a personal value: it is opened by those who may, when they ask for it."""


@dataclass(frozen=True, slots=True)
class OpenedValues:
    """What may be shown of persons."""

    erased: AbstractSet[str]
    """Persons whose keys were destroyed: nobody will ever open their values again."""
    clear_texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Ciphertext → clear text, of what was opened for this reader."""


def persons_in(event: FeedEvent) -> frozenset[str]:
    """Return the persons whose values stand sealed in an event's payload, by their ids."""
    return frozenset(value.person for value in sealed_values(event.payload))


def opened_in(event: FeedEvent, known: OpenedValues) -> dict[str, str]:
    """Return what was opened of an event, by dotted paths."""
    return {
        value.path: known.clear_texts[value.box]
        for value in sealed_values(event.payload)
        if value.box in known.clear_texts
    }


def as_recorded(event: FeedEvent, known: OpenedValues) -> Json:
    """Return the payload as its bytes say, less the salt, which says nothing."""
    recorded: Json = json.loads(event.payload)
    if isinstance(recorded, dict):
        recorded.pop("salt", None)
    return shown(recorded, known)


def as_understood(event: FeedEvent, known: OpenedValues) -> Json:
    """Return the payload as today's program reads it, upcasts applied."""
    understood: Json = event.event.model_dump(mode="json")
    return shown(understood, known)


def shown(value: Json, known: OpenedValues) -> Json:
    """Put its clear text, `[sealed]` or `[erased]` in the place of every ciphertext."""
    if isinstance(value, dict):
        if value.keys() == {"person", "box"}:
            shut = ERASED if value["person"] in known.erased else SEALED
            return known.clear_texts.get(str(value["box"]), shut)
        return {name: shown(inner, known) for name, inner in value.items()}
    if isinstance(value, list):
        return [shown(inner, known) for inner in value]
    return value


_ERASED_AMONG = "select person from vault.subjects where book = %s and person = any(%s) and wrapped is null"


def erased_among(connection: Connection, book: str, persons: Collection[str]) -> frozenset[str]:
    """Return those of these persons whose keys were destroyed."""
    if not persons:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(_ERASED_AMONG, (book, list(persons)))
        return frozenset(person for (person,) in cursor)


Told = dict[str, object]


def history(reader: Reader, stream: StreamRef, *, own: bool = False) -> list[Told]:
    """Return a stream's events, oldest first; of a contract with its claims' and complaints', unless `own`.

    Raises `Rejected` when nothing of the stream was known then.
    """
    return [told(event) for event in _events(reader, stream, own=own)]


def told(event: FeedEvent) -> Told:
    """Return an event's envelope as a row."""
    return {
        "position": event.position,
        "stream": event.stream.name,
        "version": event.version,
        "type": event.type,
        "effective_on": event.effective_on,
        "at": event.at,
        "recorded_at": event.recorded_at,
        "actor": event.actor,
        "command_id": event.command_id,
    }


def replay(reader: Reader, stream: StreamRef, *, own: bool = False) -> list[Told]:
    """Return a stream's events with what each changed in the state, path by path, before and after.

    `payload` is the event as it is understood today; where it was recorded otherwise, under an older schema,
    that stands beside it (`original`).

    Personal values stand as `[sealed]`, those of the erased as `[erased]`. For a reader who opens them they
    stand in clear, and beside the payload by their paths (`personal`).

    Raises `Rejected` as `history` does.
    """
    events = _events(reader, stream, own=own)
    persons = frozenset[str]().union(*(persons_in(event) for event in events))
    erased = erased_among(reader.connection, reader.book, persons)
    opening = reader.opening
    known = (
        OpenedValues(erased)
        if opening is None
        else OpenedValues(erased, opening.clear_texts(map(stored, events)))
    )
    opens = opening is not None
    return [
        row | {"personal": opened_in(event, known)} if opens else row
        for event, row in zip(events, _replayed(events, known), strict=True)
    ]


def _events(reader: Reader, stream: StreamRef, *, own: bool) -> Sequence[FeedEvent]:
    events = reader.events(stream, own=own)
    if not any(event.stream == stream for event in events):
        kind, number = stream
        message = f"There is no {kind} {number!r} in book {reader.book}: see `coverledger {kind} list`."
        raise Rejected(message)
    return events


def _replayed(events: Sequence[FeedEvent], known: OpenedValues) -> Iterator[Told]:
    states: dict[StreamRef, State | None] = {}
    told_before: dict[StreamRef, Fields] = {}
    for event in events:
        state = fold(states.get(event.stream), event.recorded)
        before, after = told_before.get(event.stream, {}), readable(state)
        states[event.stream], told_before[event.stream] = state, after
        understood, original = as_understood(event, known), as_recorded(event, known)
        row = told(event) | {"changes": changes(before, after), "payload": understood}
        yield row if original == understood else row | {"original": original}


def told_with_payloads(connection: Connection, book: str, events: Sequence[FeedEvent]) -> list[Told]:
    """Return events as rows with ids and payloads; personal values stand as `[sealed]` or `[erased]`."""
    persons = frozenset[str]().union(*(persons_in(event) for event in events))
    known = OpenedValues(erased_among(connection, book, persons))
    return [
        told(event) | {"event_id": str(event.event_id), "payload": as_understood(event, known)}
        for event in events
    ]
