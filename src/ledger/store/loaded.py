"""What the loading query brings: the database's time, the book, the streams, the command's first answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from ledger.domain.entries import Recorded
from ledger.domain.identifiers import StreamRef
from ledger.store.commit import StreamHead


@dataclass(frozen=True, slots=True)
class OpenImport:
    """An import that has begun and is neither finished nor abandoned: it holds the book's clock."""

    import_id: UUID
    digest: bytes
    """SHA-256 of what is imported."""
    clock_at: datetime | None
    """Instant of the last line recorded; None before the first."""


@dataclass(frozen=True, slots=True)
class BookRow:
    """A book of business as its row states it."""

    book: str
    kind: Literal["real", "simulated"]
    epoch: int
    origin: str
    clock_at: datetime | None
    """A simulated book's present, which stands still until it is moved; None in a real one."""
    held_at: datetime | None
    """Where an import that ended in the past left the book; the sweep waits while it is set."""
    open_import: OpenImport | None


@dataclass(frozen=True, slots=True)
class LoadedStream:
    """One stream as it stood when it was loaded; version 0 and nothing recorded: it does not exist."""

    version: int
    last_leaf: bytes | None
    """Leaf hash of the newest event."""
    last_at: datetime | None
    """Instant (`at`) of the newest event."""
    recorded: Sequence[Recorded]
    event_ids: Sequence[UUID]
    """Of the events in `recorded`, in the same order."""
    contract_id: UUID | None
    """Correlation id of the newest event: stream id of the contract that the stream belongs to now."""

    @property
    def head(self) -> StreamHead:
        """Expected state of the stream for a commit."""
        return StreamHead(self.version, self.last_leaf)


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What a command was answered the first time."""

    content_hmac: bytes
    answer: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """One consistent picture: everything in it was read by one statement."""

    now: datetime
    """The database's time, UTC."""
    book: BookRow
    streams: Mapping[StreamRef, LoadedStream]
    """Every stream asked for, known or not, and the contract of each claim whose contract was wanted."""
    contracts: Mapping[StreamRef, StreamRef]
    """Claim (or complaint) → its present contract, for those whose contract was wanted and that exist."""
    answers: Mapping[tuple[str, str], FirstAnswer]
    """(sender, command id) → first answer, for the ids asked for that are on record."""
    answer: FirstAnswer | None
    """First answer of the one command that `load` was asked about."""
