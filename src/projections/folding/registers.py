"""A register: one row a stream, taken from the state that the domain folds from the stream's events."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar, cast

from ledger.domain.dispatch import State
from ledger.domain.identifiers import StreamKind
from ledger.feed.reader import FeedEvent
from projections.folding.states import folded, read_state, state_text
from projections.folding.view import Folded, Row, Since, Table, View

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
