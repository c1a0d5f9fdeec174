"""Cursors and epochs: a reader's place in the feed, and whether what it has read still stands there.

A cursor is written `EPOCH:POSITION`. A bare position is one of the first epoch: in later ones whatever is
handed out bears its epoch, so that nobody goes on past a point from which the log was written anew.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, Self

from ledger.errors import Rejected, UsageError
from ledger.store.feed import feed_end
from ledger.store.log import Epoch, select_epochs
from ledger.store.pool import Connection

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
    """Make sure that what a reader has read is a part of this log. Raises EpochsPart, EpochUnknown."""
    present = epochs[-1].epoch
    if cursor.epoch > present:
        raise EpochUnknown(cursor, present)
    later = [epoch for epoch in epochs if epoch.epoch > cursor.epoch]
    first = min(later, key=_from_position, default=None)
    if first is not None and cursor.position >= first.from_position:
        raise EpochsPart(cursor, first._replace(epoch=present))


def check_place(connection: Connection, book: str, cursor: Cursor) -> int:
    """Make sure that a reader may go on after a cursor; gives the present epoch.

    Raises EpochsPart, EpochUnknown, and BeyondTheEnd.
    """
    epochs = select_epochs(connection, book)
    check_cursor(cursor, epochs)
    end = feed_end(connection, book)
    if cursor.position > end:
        raise BeyondTheEnd(cursor.position, end)
    return epochs[-1].epoch


def place(connection: Connection, book: str, after: int | str) -> int:
    """Give the position after which a reader begins who names a cursor, or a position of the first epoch.

    Raises NotACursor, EpochsPart, EpochUnknown, and BeyondTheEnd.
    """
    cursor = Cursor.parse(str(after))
    check_place(connection, book, cursor)
    return cursor.position


def present_epoch(connection: Connection, book: str) -> int:
    """Give the epoch of whatever is handed out now."""
    return select_epochs(connection, book)[-1].epoch


def _from_position(epoch: Epoch) -> int:
    return epoch.from_position
