"""Events: facts in the past, frozen, under names that never change; on their way into a stream, and in it."""

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, ClassVar, Final, TypeVar, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from ledger.domain.codes import DeadlineKind, DeadlineRule
from ledger.domain.identifiers import StreamRef


class Sealed(BaseModel):
    """A person's value as ciphertext: the domain carries it and never opens it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    person: str
    box: str
    """Base64 of what AES-256-GCM made of the value."""


class PersonalMarker:
    """Marks a field as one person's own: stored under that person's key only, in no log line, in no URL."""


PERSONAL = PersonalMarker()

T = TypeVar("T")
Personal = Annotated[T | Sealed, PERSONAL]
"""`Personal[str]`: in clear when an event is made, a `Sealed` when it comes from the store."""


class Event(BaseModel):
    """A fact. Its fields are the payload, its stable name is what stores and feeds call it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    schema_version: ClassVar[int] = 1
    stable_name: ClassVar[str]


class DeadlineMissed(Event):
    """A due date went by. Each aggregate has its own, under a name of its own."""

    kind: DeadlineKind
    rule: DeadlineRule
    due_on: date
    seq: int
    """Which of the subject's rows of the kind, from 1."""


@lru_cache(maxsize=256)
def personal_fields(event_type: type[BaseModel]) -> tuple[str, ...]:
    """Return the fields of an event type that are personal, as dotted paths: `policyholder.name`."""
    paths: list[str] = []
    for name, declared in event_type.model_fields.items():
        # An optional field keeps the marker on the member of its union, a required one on the field itself.
        members = get_args(declared.annotation)
        if PERSONAL in declared.metadata or any(PERSONAL in getattr(m, "__metadata__", ()) for m in members):
            paths.append(name)
        elif isinstance(declared.annotation, type) and issubclass(declared.annotation, BaseModel):
            paths.extend(f"{name}.{path}" for path in personal_fields(declared.annotation))
    return tuple(paths)


def holds_personal_values(event: Event) -> bool:
    """Return whether any personal field of an event is filled, so that it wants its person's key."""
    return any(value_at(event, path) is not None for path in personal_fields(type(event)))


def value_at(event: Event, path: str) -> object:
    """Return the value of a field by its dotted path; None where an object on the way is absent."""
    value: object = event
    for step in path.split("."):
        value = getattr(value, step, None)
    return value


NOT_YET: Final = UUID(int=0)
"""Stands for an id that has not been given yet."""


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """One event that is to be recorded.

    `effective_on` is the business date on which it counts. `at` is the instant (UTC) at which the stream
    takes it. Within one stream `at` never decreases: what time owed at an instant that had already gone by
    when the stream came to know of it (D3, D4) keeps its own date as `effective_on` and takes the stream's
    last `at`.
    """

    stream: StreamRef
    event: Event
    effective_on: date
    at: datetime
    by_time: bool = False
    """True where time owed the event: actor `time`, its own command id."""
    subject: str | None = None
    """The person whose key seals the event's personal fields; None where it holds none."""

    # Who and by which command: the command handler fills these in.
    command_id: str = ""
    """The command's id; time's events: `time:<stream name>@<instant>`."""
    actor: str = ""
    """Opaque staff id, never a name; `time` for what time owed."""
    contract: StreamRef | None = None
    """The contract that the event belongs to: its stream id becomes the correlation id."""
    causation_id: UUID | None = None
    """Event that caused this one, where there is one."""
    event_id: UUID = NOT_YET

    # Where in the store: the ledger fills these in when it records the event.
    version: int = 0
    originator_id: UUID = NOT_YET
    """Stream id of the event's own stream."""
    correlation_id: UUID = NOT_YET

    @property
    def originator_version(self) -> int:
        """The version, as `eventsourcing` calls it."""
        return self.version

    @property
    def type(self) -> str:
        """The event's stable name."""
        return self.event.stable_name


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event that a stream holds, with as much of its envelope as folding needs."""

    stream: StreamRef
    version: int
    event: Event
    effective_on: date
    at: datetime

    # Where and from whom it came, for those who read it through `eventsourcing`.
    position: int | None = field(default=None, compare=False)
    """In the feed; None where it was read from its stream, or is not sealed yet."""
    originator_id: UUID = field(default=NOT_YET, compare=False)
    """Stream id of the event's own stream."""
    event_id: UUID = field(default=NOT_YET, compare=False)
    command_id: str = field(default="", compare=False)
    actor: str = field(default="", compare=False)
    correlation_id: UUID = field(default=NOT_YET, compare=False)
    causation_id: UUID | None = field(default=None, compare=False)

    @property
    def originator_version(self) -> int:
        """The version, as `eventsourcing` calls it."""
        return self.version
