"""One command against the streams that it needs, and what the ledger answers to it.

Pure: streams in, events out. Batches (`command_batch`) decide each of their commands with it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import Literal, NamedTuple
from uuid import UUID, uuid4

from ledger.command_envelope import RecordEvent
from ledger.domain.command import Command
from ledger.domain.contract.state import Contract
from ledger.domain.dispatch import State, decide, elapse, fold
from ledger.domain.event import PendingEvent, RecordedEvent
from ledger.domain.identifiers import StreamRef, contract_ref
from ledger.domain.refusals import FieldFault, Invalid
from ledger.store.events import StreamHead
from ledger.store.load import LoadedStream

Status = Literal["recorded", "repeated", "refused", "invalid", "failed"]
"""`failed`: of an import's line that met an error nobody foresaw; it is not remembered."""


class AnsweredEvent(NamedTuple):
    """One event of the command's own, as the answer names it."""

    stream: str
    version: int
    type: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The ledger's answer to one command. `refused`, `invalid`, `failed` mean: no event was recorded."""

    command_id: str
    status: Status
    code: str | None = None
    """Code of the refusal, `LIMIT_COUNT`."""
    rule: str | None = None
    """Rule that the refusal rests on, `I8`."""
    message: str | None = None
    events: Sequence[AnsweredEvent] = ()
    first_status: Status | None = None
    """Of a repeated command: what it was answered the first time."""
    first_code: str | None = None
    faults: Sequence[FieldFault] = ()
    """The fields that are wrong, of an `invalid` command that could be looked into."""

    @property
    def said_no(self) -> bool:
        """Whether the command had no effect, now or when it was first sent."""
        return (self.first_status or self.status) in {"refused", "invalid", "failed"}

    def as_json(self) -> dict[str, object]:
        """Return the answer as scripts read it; what there is nothing of is left out."""
        written: dict[str, object] = {"command_id": self.command_id, "status": self.status}
        if self.first_status is not None:
            first = {"status": self.first_status, "code": self.first_code}
            written["first"] = {key: value for key, value in first.items() if value is not None}
        written |= {
            key: value
            for key, value in (("code", self.code), ("rule", self.rule), ("message", self.message))
            if value is not None
        }
        written["events"] = [event._asdict() for event in self.events]
        return written

    def kept(self) -> str:
        """Return the text that is stored as the command's first answer."""
        written: dict[str, object] = {"status": self.status}
        if self.status != "recorded":
            written |= {"code": self.code, "rule": self.rule, "message": self.message}
        written["events"] = [list(event) for event in self.events]
        return json.dumps(written, ensure_ascii=False, separators=(",", ":"))


def kept_answer(command_id: str, text: str) -> Answer:
    """Read a first answer back from its stored text."""
    written = json.loads(text)
    return Answer(
        command_id,
        written["status"],
        code=written.get("code"),
        rule=written.get("rule"),
        message=written.get("message"),
        events=tuple(AnsweredEvent(*event) for event in written["events"]),
    )


def invalid_answer(command_id: str, invalid: Invalid) -> Answer:
    """Answer a command that is malformed: nothing of it is remembered."""
    return Answer(command_id, "invalid", message=invalid.message, faults=invalid.faults)


def repeated(first: Answer) -> Answer:
    """Answer a command that was sent before: its first answer, marked as such."""
    return replace(first, status="repeated", first_status=first.status, first_code=first.code)


TIME = "time"
"""Actor of what time records, and the first word of time's command ids."""


@dataclass(frozen=True, slots=True)
class StreamState:
    """A stream in memory: where it stands in the store, what its events fold into, its contract."""

    head: StreamHead
    state: State | None = None
    contract: StreamRef | None = None

    def after(self, entries: Iterable[PendingEvent]) -> "StreamState":
        """Fold further entries that are about to be recorded. The head moves when they have been."""
        state, version = self.state, self.head.version
        for entry in entries:
            version += 1
            state = fold(
                state, RecordedEvent(entry.stream, version, entry.event, entry.effective_on, entry.at)
            )
        return StreamState(StreamHead(version, self.head.leaf_hash), state, contract_of(state))

    def with_head(self, head: StreamHead) -> "StreamState":
        """Return the stream with its new head, once its events have been recorded."""
        return replace(self, head=head)


def stream_state(loaded: LoadedStream) -> StreamState:
    """Fold a loaded stream."""
    state: State | None = None
    for recorded in loaded.recorded:
        state = fold(state, recorded)
    return StreamState(loaded.head, state, contract_of(state))


def contract_of(state: State | None) -> StreamRef | None:
    """Return the contract that a stream belongs to now: its events carry it as their correlation."""
    if state is None:
        return None
    return state.ref if isinstance(state, Contract) else contract_ref(state.contract)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be recorded for one command, and how the streams stand after it."""

    events: Sequence[PendingEvent]
    answered: Sequence[AnsweredEvent]
    """The command's own events; what time owed is not among them."""
    world: Mapping[StreamRef, StreamState]


def owed_by_time(stream: StreamState, until: datetime) -> Sequence[PendingEvent]:
    """Return what time owes one stream up to and including `until`."""
    return () if stream.state is None else elapse(stream.state, until)


def time_events(entries: Sequence[PendingEvent], contract: StreamRef) -> list[PendingEvent]:
    """Put time's name on what it owed: each stream and instant is a command of its own, once."""
    return [_of_time(entry, contract) for entry in entries]


def _of_time(entry: PendingEvent, contract: StreamRef, cause: UUID | None = None) -> PendingEvent:
    return replace(
        entry,
        command_id=_times_command_id(entry),
        actor=TIME,
        contract=contract,
        causation_id=cause,
        event_id=uuid4(),
    )


def _times_command_id(entry: PendingEvent) -> str:
    return f"{TIME}:{entry.stream.name}@{instant_text(entry.at)}"


def decide_command(
    command: Command | RecordEvent,
    world: Mapping[StreamRef, StreamState],
    at: datetime,
    *,
    command_id: str,
    actor: str,
) -> Decision:
    """Bring the world to `at`, then decide.

    `world` holds every stream that the command needs, existing or not.

    Raises:
        Refusal: the command breaks a rule; nothing is to be recorded, not even what time owes.

    """
    after = dict(world)
    events: list[PendingEvent] = []
    for ref, stream in world.items():
        owed = owed_by_time(stream, at)
        if owed:
            after[ref] = stream.after(owed)
            events += time_events(owed, after[ref].contract or ref)
    events.sort(key=attrgetter("at"))
    own: Sequence[PendingEvent]
    if isinstance(command, RecordEvent):
        own = command.events(at)
    else:
        own = decide(command, {ref: stream.state for ref, stream in after.items()}, at)
    answered: list[AnsweredEvent] = []
    cause: UUID | None = None
    for entry in own:
        stream = after.get(entry.stream, StreamState(StreamHead())).after((entry,))
        after[entry.stream] = stream
        contract = stream.contract or entry.stream
        if entry.by_time:
            # What the command's own events make time owe at once (D3, D4) is time's, not the command's.
            events.append(_of_time(entry, contract, cause))
            continue
        event_id = uuid4()
        events.append(
            replace(
                entry,
                command_id=command_id,
                actor=actor,
                contract=contract,
                causation_id=cause,
                event_id=event_id,
            )
        )
        cause = cause or event_id
        answered.append(AnsweredEvent(entry.stream.name, stream.head.version, entry.type))
    return Decision(events, tuple(answered), after)


def instant_text(instant: datetime) -> str:
    """Write an instant as RFC 3339 in UTC, `2026-03-01T08:00:00Z`."""
    return instant.isoformat().replace("+00:00", "Z")
