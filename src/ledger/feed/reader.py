"""Events of the feed as followers and readers see them, and the cursors by which readers go on.

Events are decoded only when looked into.

A cursor is a reader's position in the feed, written `EPOCH:POSITION`. A bare position is one of the first
epoch: in later ones whatever is handed out bears its epoch, so that nobody goes on past a point from which
the log was written anew.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final, NamedTuple, Self
from uuid import UUID

from ledger.domain.event import Event, RecordedEvent
from ledger.domain.identifiers import StreamRef
from ledger.errors import Rejected, UsageError
from ledger.store.canonical import stream_ref
from ledger.store.events import read_payload
from ledger.store.feed import FeedRow, feed_end, select_feed, select_streams
from ledger.store.log import Epoch, select_epochs
from ledger.store.pool import Connection


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One sealed event: its place in the feed, its envelope, and itself, decoded when first read."""

    position: int
    sealed_at: datetime
    stream: StreamRef
    version: int
    type: str
    schema_version: int
    event_id: UUID
    effective_on: date
    at: datetime
    recorded_at: datetime
    actor: str
    command_id: str
    ordinal: int
    correlation_id: UUID
    causation_id: UUID | None
    payload: bytes
    """The exact bytes recorded, in which personal data stands as ciphertext only."""
    _decoded: list[Event] = field(default_factory=list, repr=False, compare=False)

    @property
    def event(self) -> Event:
        """The event, validated and upcast; Personal fields as Sealed. Raises Unreadable."""
        if not self._decoded:
            self._decoded.append(
                read_payload(
                    self.payload,
                    type_name=self.type,
                    schema_version=self.schema_version,
                    stream=self.stream.name,
                    version=self.version,
                )
            )
        return self._decoded[0]

    @property
    def recorded(self) -> RecordedEvent:
        """The event as folds take it. Raises Unreadable."""
        return RecordedEvent(self.stream, self.version, self.event, self.effective_on, self.at)


def read_feed(
    connection: Connection, book: str, after: int, limit: int, types: Collection[str] | None = None
) -> list[FeedEvent]:
    """Read events at positions above `after` (from the start: -1), at most `limit` positions, in order.

    `types`: only these; the positions of others count towards `limit` all the same.
    """
    return feed_events(
        row for row in select_feed(connection, book, after, limit, types) if row.type is not None
    )


def read_streams(
    connection: Connection, book: str, streams: Sequence[StreamRef], position: int
) -> list[FeedEvent]:
    """Read the events of these streams at positions up to and including `position`, in order of position."""
    return feed_events(select_streams(connection, book, streams, position))


def feed_events(rows: Iterable[FeedRow]) -> list[FeedEvent]:
    """Turn rows of the feed into events; their payloads stay as they are."""
    return [
        FeedEvent(
            row.position,
            row.sealed_at.astimezone(UTC),
            stream_ref(row.stream),
            row.version,
            row.type,
            row.schema_version,
            UUID(row.event_id),
            row.effective_on,
            row.at.astimezone(UTC),
            row.recorded_at.astimezone(UTC),
            row.actor,
            row.command_id,
            row.ordinal,
            UUID(row.correlation_id),
            UUID(row.causation_id) if row.causation_id else None,
            bytes(row.payload),
        )
        for row in rows
    ]


FIRST_EPOCH: Final = 1

# A position may be padded with zeros, as the `sequence` of a CloudEvent is.
_WRITTEN: Final = re.compile(r"(?:([1-9][0-9]{0,8}):)?(-1|0|[1-9][0-9]{0,18})", re.ASCII)
_LARGEST: Final = 10**18


class NotACursor(UsageError):
    """A cursor is written EPOCH:POSITION, or as a bare position."""


class EpochsPart(Rejected):
    """A reader has read past the point where a later epoch parts from the one that it read."""

    def __init__(self, cursor: "Cursor", epoch: Epoch) -> None:
        """`epoch`: the one that parts first."""
        self.again = Cursor(epoch.epoch, epoch.from_position - 1)
        """The cursor from which to read again, in the present epoch."""
        self.from_position = epoch.from_position
        super().__init__(
            f"position {cursor.position} of epoch {cursor.epoch} is not in this log any more: epoch "
            f"{epoch.epoch} parts from it at position {epoch.from_position} ({epoch.because}); give up what "
            f"was read from there on, and read again after {self.again}"
        )


class EpochUnknown(Rejected):
    """A cursor names an epoch that this log has not begun."""

    def __init__(self, cursor: "Cursor", present: int) -> None:
        """`present`: the newest epoch here."""
        super().__init__(
            f"there is no epoch {cursor.epoch} here, the present one is {present}: the database is older "
            "than the reader, or another log's"
        )


class BeyondTheEnd(UsageError):
    """A reader names a position that the feed has not reached: it would miss what is sealed until then."""

    def __init__(self, position: int, end: int) -> None:
        """`end`: the feed's last position."""
        super().__init__(
            f"position {position} is not there yet: the feed ends at {end}; go on after what you were given"
        )


class Cursor(NamedTuple):
    """The last position that a reader has read, and in which epoch; -1 before the first."""

    epoch: int
    position: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a cursor. Raises NotACursor."""
        written = _WRITTEN.fullmatch(text)
        if written is None or int(written[2]) >= _LARGEST:
            message = f"{text[:40]!r} is no place in the feed: write it as 4711, or with its epoch as 1:4711"
            raise NotACursor(message)
        return cls(int(written[1] or FIRST_EPOCH), int(written[2]))

    def __str__(self) -> str:
        """Write it down: the position alone in the first epoch."""
        return str(self.position) if self.epoch == FIRST_EPOCH else f"{self.epoch}:{self.position}"


def check_cursor(cursor: Cursor, epochs: Sequence[Epoch]) -> None:
    """Ensure that what a reader has read is a part of this log. Raises EpochsPart, EpochUnknown."""
    present = epochs[-1].epoch
    if cursor.epoch > present:
        raise EpochUnknown(cursor, present)
    later = [epoch for epoch in epochs if epoch.epoch > cursor.epoch]
    first = min(later, key=_from_position, default=None)
    if first is not None and cursor.position >= first.from_position:
        raise EpochsPart(cursor, first._replace(epoch=present))


def check_position(connection: Connection, book: str, cursor: Cursor) -> int:
    """Ensure that a reader may go on after a cursor; return the present epoch.

    Raises EpochsPart, EpochUnknown, and BeyondTheEnd.
    """
    epochs = select_epochs(connection, book)
    check_cursor(cursor, epochs)
    end = feed_end(connection, book)
    if cursor.position > end:
        raise BeyondTheEnd(cursor.position, end)
    return epochs[-1].epoch


def position_after(connection: Connection, book: str, after: int | str) -> int:
    """Return the position after which a reader begins who names a cursor, or a position of the first epoch.

    Raises NotACursor, EpochsPart, EpochUnknown, and BeyondTheEnd.
    """
    cursor = Cursor.parse(str(after))
    check_position(connection, book, cursor)
    return cursor.position


def present_epoch(connection: Connection, book: str) -> int:
    """Return the epoch of whatever is handed out now."""
    return select_epochs(connection, book)[-1].epoch


def _from_position(epoch: Epoch) -> int:
    return epoch.from_position
