"""Histories told: the events of a stream, and with replay what each one changed."""

import json
from collections.abc import Iterator, Sequence

from ledger.domain.deciding import State, fold, state_to_json
from ledger.domain.identifiers import StreamRef
from ledger.endings import Refused
from ledger.feed.reading import FeedEvent
from projections.asking.reader import Reader
from projections.replay.changes import Json, changes
from projections.replay.payloads import as_recorded, as_understood

Told = dict[str, object]


def history(reader: Reader, stream: StreamRef, *, own: bool = False) -> list[Told]:
    """Give a stream's events, oldest first; of a contract with its claims' and complaints', unless `own`.

    Raises `Refused` when nothing of the stream was known then.
    """
    return [told(event) for event in _events(reader, stream, own=own)]


def told(event: FeedEvent) -> Told:
    """Give an event's envelope as a row."""
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
    """Give a stream's events with what each changed in the state, path by path, before and after.

    `payload` is the event as it is understood today; where it was recorded under an older schema, it stands
    beside it as it was recorded (`original`).
    Personal values stand as `[sealed]`. Raises `Refused` as `history` does.
    """
    return list(_replayed(_events(reader, stream, own=own)))


def _events(reader: Reader, stream: StreamRef, *, own: bool) -> Sequence[FeedEvent]:
    events = reader.events(stream, own=own)
    if not any(event.stream == stream for event in events):
        kind, number = stream
        message = f"There is no {kind} {number!r} in book {reader.book}: see `claims-ledger {kind} list`."
        raise Refused(message)
    return events


def _replayed(events: Sequence[FeedEvent]) -> Iterator[Told]:
    states: dict[StreamRef, State | None] = {}
    known: dict[StreamRef, Json] = {}
    for event in events:
        before = known.get(event.stream, {})
        state = fold(states.get(event.stream), event.recorded)
        # None: told for a date on which the stream had not begun, so there is nothing to change yet.
        after: Json = {} if state is None else json.loads(state_to_json(state))
        states[event.stream], known[event.stream] = state, after
        row = told(event) | {"changes": changes(before, after), "payload": as_understood(event)}
        upcast = event.schema_version != type(event.event).schema_version
        yield row | {"original": as_recorded(event)} if upcast else row
