"""One command against the streams that it needs: first what time owes them, then what it makes happen.

Pure: streams in, entries out. `Ledger.submit` and the import share it, so that both decide alike.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from ledger.answers import AnsweredEvent
from ledger.domain.commands import Command
from ledger.domain.contract.state import Contract
from ledger.domain.deciding import State, decide, elapse, fold
from ledger.domain.entries import Entry, Recorded
from ledger.domain.identifiers import StreamRef, contract_ref
from ledger.store.commit import NewEvent, StreamHead
from ledger.store.loaded import LoadedStream

TIME = "time"
"""Actor of what time records, and the first word of time's command ids."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A stream in memory: where it stands in the store, what its events fold into, its contract."""

    head: StreamHead
    state: State | None = None
    contract: StreamRef | None = None

    def after(self, entries: Iterable[Entry]) -> "Standing":
        """Fold further entries that are about to be recorded. The head moves when they have been."""
        state, version = self.state, self.head.version
        for entry in entries:
            version += 1
            state = fold(state, Recorded(entry.stream, version, entry.event, entry.effective_on, entry.at))
        return Standing(StreamHead(version, self.head.leaf_hash), state, contract_of(state))

    def with_head(self, head: StreamHead) -> "Standing":
        """Give the stream its new head, once its events have been recorded."""
        return replace(self, head=head)


def standing(loaded: LoadedStream) -> Standing:
    """Fold a loaded stream."""
    state: State | None = None
    for recorded in loaded.recorded:
        state = fold(state, recorded)
    return Standing(loaded.head, state, contract_of(state))


def contract_of(state: State | None) -> StreamRef | None:
    """Name the contract that a stream belongs to now: its events carry it as their correlation."""
    if state is None:
        return None
    return state.ref if isinstance(state, Contract) else contract_ref(state.contract)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be recorded for one command, and how the streams stand after it."""

    events: Sequence[NewEvent]
    answered: Sequence[AnsweredEvent]
    """The command's own events; what time owed is not among them."""
    world: Mapping[StreamRef, Standing]


def owed_by_time(stream: Standing, until: datetime) -> Sequence[Entry]:
    """Say what time owes one stream up to and including `until`."""
    return () if stream.state is None else elapse(stream.state, until)


def time_events(entries: Sequence[Entry], contract: StreamRef) -> list[NewEvent]:
    """Put time's name on what it owed: each stream and instant is a command of its own, once."""
    return [NewEvent(entry, _times_command_id(entry), TIME, contract) for entry in entries]


def _times_command_id(entry: Entry) -> str:
    return f"{TIME}:{entry.stream.name}@{instant_text(entry.at)}"


def decide_command(
    command: Command, world: Mapping[StreamRef, Standing], at: datetime, *, command_id: str, actor: str
) -> Decision:
    """Bring the world to `at`, then decide.

    `world` holds every stream that the command needs, existing or not.

    Raises:
        Refusal: the command breaks a rule; nothing is to be recorded, not even what time owes.

    """
    after = dict(world)
    events: list[NewEvent] = []
    for ref, stream in world.items():
        owed = owed_by_time(stream, at)
        if owed:
            after[ref] = stream.after(owed)
            events += time_events(owed, after[ref].contract or ref)
    events.sort(key=lambda event: event.entry.at)
    own = decide(command, {ref: stream.state for ref, stream in after.items()}, at)
    answered: list[AnsweredEvent] = []
    cause: UUID | None = None
    for entry in own:
        stream = after.get(entry.stream, Standing(StreamHead())).after((entry,))
        after[entry.stream] = stream
        contract = stream.contract or entry.stream
        if entry.by_time:
            # What the command's own events make time owe at once (D3, D4) is time's, not the command's.
            events.append(NewEvent(entry, _times_command_id(entry), TIME, contract, cause))
            continue
        event = NewEvent(entry, command_id, actor, contract, cause)
        cause = cause or event.event_id
        events.append(event)
        answered.append(AnsweredEvent(entry.stream.name, stream.head.version, entry.event.stable_name))
    return Decision(events, tuple(answered), after)


def instant_text(instant: datetime) -> str:
    """Write an instant as RFC 3339 in UTC, `2026-03-01T08:00:00Z`."""
    return instant.isoformat().replace("+00:00", "Z")
