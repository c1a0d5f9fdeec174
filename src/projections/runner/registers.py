"""Registers: one row a stream, taken from the state that the domain folds from the stream's events.

Several views rest on the state of the same claim. Over one reading of the feed they take the same events in
turn, so that what one has folded the next one finds. Nothing is kept that could be wrong: a state is never
changed, and the same state and the same event always give the same one.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar, cast

from ledger.domain.dispatch import State, fold, state_from_json, state_to_json
from ledger.domain.identifiers import StreamKind
from ledger.feed.reader import FeedEvent
from projections.runner.view import Folded, Row, Since, Table, View

Key = TypeVar("Key")
Value = TypeVar("Value")

MOST_KEPT: Final = 8_000
"""Entries of one kind; beyond that all are forgotten, which costs time and nothing else."""

_read: dict[tuple[StreamKind, str], State] = {}
_written: dict[int, tuple[State, str]] = {}
_folded: dict[tuple[int, str, int], tuple[State | None, FeedEvent, State | None]] = {}


def folded(before: State | None, event: FeedEvent) -> State | None:
    """Fold one event into the state of its stream; None while the event that begins the stream is missing."""
    # The identities hold while the objects do, which stand beside them.
    key = (id(before), event.stream.name, event.version)
    known = _folded.get(key)
    if known is not None and known[0] is before and known[1] is event:
        return known[2]
    after = fold(before, event.recorded)
    _room_in(_folded)[key] = (before, event, after)
    return after


def state_text(state: State) -> str:
    """Write a state as JSON."""
    known = _written.get(id(state))
    if known is not None and known[0] is state:
        return known[1]
    text = state_to_json(state)
    _room_in(_written)[id(state)] = (state, text)
    # Whoever reads it back gets this one, and so what was folded from it.
    _room_in(_read)[state.ref.kind, text] = state
    return text


def read_state(kind: StreamKind, text: str) -> State:
    """Read a state back. Raises pydantic's ValidationError for what `state_text` did not write."""
    known = _read.get((kind, text))
    if known is None:
        known = state_from_json(kind, text)
        _room_in(_read)[kind, text] = known
    return known


def _room_in(entries: dict[Key, Value]) -> dict[Key, Value]:
    if len(entries) >= MOST_KEPT:
        entries.clear()
    return entries


Of = TypeVar("Of", bound=State)


class Registered(NamedTuple):
    """A stream's state, with the row that it was last shown as."""

    opened_position: int
    state: State
    row: Row


def register(
    name: str, kind: StreamKind, table: Table, types: frozenset[str], row_of: Callable[[Of, int], Row]
) -> View[Registered]:
    """Make the register of one kind of stream. `row_of`: (state, position of its first event) → row."""

    def row(state: State, opened_position: int) -> Row:
        return row_of(cast("Of", state), opened_position)

    def fold_one(registered: Registered | None, event: FeedEvent, _: Since) -> Folded[Registered] | None:
        before = None if registered is None else registered.state
        state = folded(before, event)
        if state is None:
            # Folded for a date on which the stream had not begun.
            return None
        opened_position = event.position if registered is None else registered.opened_position
        after = row(state, opened_position)
        changed = registered is None or after != registered.row
        return Folded(Registered(opened_position, state, after), (after,) if changed else ())

    def from_text(text: str) -> Registered:
        opened_position, _, written = text.partition(" ")
        state = read_state(kind, written)
        return Registered(int(opened_position), state, row(state, int(opened_position)))

    return View(
        name=name,
        types=types,
        table=table,
        key_of=lambda event: event.stream.name,
        fold=fold_one,
        to_text=lambda registered: f"{registered.opened_position} {state_text(registered.state)}",
        from_text=from_text,
    )
