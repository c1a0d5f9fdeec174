"""The deadlines that still ask for something: open ones, and missed ones that nobody has met yet."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ledger.domain.deadlines import Deadline
from ledger.domain.dispatch import State
from ledger.domain.identifiers import StreamRef


class Change(NamedTuple):
    """Streams whose standing deadlines an event has changed, with those that stand now."""

    streams: Collection[StreamRef]
    rows: Sequence[Deadline]


def standing(state: State | None) -> tuple[Deadline, ...]:
    """Give the deadlines of a stream that still ask for something."""
    return () if state is None else tuple(row for row in state.deadlines if stands(row))


def stands(row: Deadline) -> bool:
    """Say whether a deadline is open, or was missed and not met since."""
    return row.status == "open" or (row.status == "missed" and row.met_on is None)


def changed(before: Mapping[StreamRef, State], after: Mapping[StreamRef, State]) -> Change:
    """Compare what stood before a batch of events with what stands after it."""
    moved = {
        stream: standing(state)
        for stream, state in after.items()
        if standing(state) != standing(before.get(stream))
    }
    return Change(moved.keys(), [row for rows in moved.values() for row in rows])
