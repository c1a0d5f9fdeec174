"""What the diary keeps of a stream: its state, and when time will next owe it something."""

from datetime import datetime
from typing import NamedTuple

from ledger.domain.deadlines import takes_effect_at
from ledger.domain.dispatch import State, fold, next_instant, state_from_json, state_to_json
from ledger.domain.event import RecordedEvent
from ledger.domain.identifiers import StreamRef


class Diarised(NamedTuple):
    """A stream's state, and the earliest instant (UTC) at which time will owe it something.

    None: time will never owe it anything again.
    """

    state: State
    due_at: datetime | None

    @property
    def kinds(self) -> list[str]:
        """The deadlines that take effect then; none where a letter recorded late ends the contract (D3)."""
        return [
            row.kind for row in self.state.deadlines if self.due_at and takes_effect_at(row) == self.due_at
        ]


def diarise(before: Diarised | None, recorded: RecordedEvent) -> Diarised | None:
    """Fold one event of the stream. None: the stream has not begun."""
    state = fold(None if before is None else before.state, recorded)
    return None if state is None else Diarised(state, next_instant(state))


def to_text(diarised: Diarised) -> str:
    """Write the state that the next event of the stream will need."""
    return state_to_json(diarised.state)


def from_text(stream: StreamRef, due_at: datetime | None, text: str) -> Diarised:
    """Read what was kept."""
    return Diarised(state_from_json(stream.kind, text), due_at)
