"""Histories told: the events of a stream, and with replay what each one changed."""

from collections.abc import Iterator, Sequence

from ledger.domain.dispatch import State, fold
from ledger.domain.identifiers import StreamRef
from ledger.errors import Rejected
from ledger.feed.reader import FeedEvent
from projections.asking.persons import stored
from projections.asking.reader import Reader
from projections.replay.changes import changes
from projections.replay.payloads import Known, as_recorded, as_understood, opened_in, persons_in
from projections.replay.queries import erased_among
from projections.replay.states import Fields, readable

Told = dict[str, object]


def history(reader: Reader, stream: StreamRef, *, own: bool = False) -> list[Told]:
    """Give a stream's events, oldest first; of a contract with its claims' and complaints', unless `own`.

    Raises `Rejected` when nothing of the stream was known then.
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
    known = Known(erased) if opening is None else Known(erased, opening.clear_texts(map(stored, events)))
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


def _replayed(events: Sequence[FeedEvent], known: Known) -> Iterator[Told]:
    states: dict[StreamRef, State | None] = {}
    told_before: dict[StreamRef, Fields] = {}
    for event in events:
        state = fold(states.get(event.stream), event.recorded)
        before, after = told_before.get(event.stream, {}), readable(state)
        states[event.stream], told_before[event.stream] = state, after
        understood, original = as_understood(event, known), as_recorded(event, known)
        row = told(event) | {"changes": changes(before, after), "payload": understood}
        yield row if original == understood else row | {"original": original}
