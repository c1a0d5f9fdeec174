"""What one transaction records: events of any streams, and answers to commands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from ledger.domain.entries import Entry
from ledger.domain.identifiers import StreamRef


class StreamHead(NamedTuple):
    """Where a stream stands: its newest version (0: it does not exist) and that event's leaf hash."""

    version: int = 0
    leaf_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One entry with what the ledger adds: who, by which command, for which contract, because of what."""

    entry: Entry
    command_id: str
    """The command's id; time's events: `time:<stream name>@<instant>`."""
    actor: str
    """Opaque staff id, never a name; `time` for what time owed."""
    contract: StreamRef
    """The contract that the event belongs to: its stream id becomes the correlation id."""
    causation_id: UUID | None = None
    """Event that caused this one, where there is one."""
    event_id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """The first and only answer to a command, kept for ever."""

    sender: str
    command_id: str
    content_hmac: bytes
    """Keyed hash of the command's content (`EventStore.content_hmac`)."""
    answer: str
    """JSON text, given back as it was."""


@dataclass(frozen=True, slots=True)
class Commit:
    """All that one transaction records, or nothing of it."""

    book: str
    events: Sequence[NewEvent]
    """In order of recording. Versions follow from `heads`, ordinals from the order within a command id."""
    heads: Mapping[StreamRef, StreamHead]
    """Where each stream stood when it was loaded; a stream that is not named is expected not to exist."""
    answers: Sequence[CommandAnswer]
    recorded_at: datetime
    """The database's time, UTC, as the loading query brought it (`Loaded.now`)."""
    import_id: UUID | None = None
    """The open import that commits; None: a live command, refused while an import is open."""
    import_clock_at: datetime | None = None
    """Where the import's clock stands after this commit; moved in the same transaction."""
    clears_hold: bool = False
    """Clear `held_at` in the same transaction: the first live command after a held import."""


@dataclass(frozen=True, slots=True)
class AppendedEvent:
    """One recorded event, as the command's answer names it."""

    stream: StreamRef
    version: int
    type: str
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Appended:
    """What a commit recorded."""

    events: Sequence[AppendedEvent]
    """In the order of `Commit.events`."""
    heads: Mapping[StreamRef, StreamHead]
    """Where the streams stand now: `Commit.heads`, moved on. The next commit may start from here."""
