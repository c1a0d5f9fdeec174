"""Cursors and epochs: a reader's place in the feed, and whether what it has read still stands there.

A cursor is written `EPOCH:POSITION`; a bare position stands for the present epoch, whichever that is.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, Self

from ledger.store.epochs import Epoch

_WRITTEN: Final = re.compile(r"(?:([1-9][0-9]{0,8}):)?(-1|0|[1-9][0-9]{0,17})", re.ASCII)


class NotACursor(ValueError):
    """A cursor is written EPOCH:POSITION, or as a bare position."""


class EpochsPart(Exception):
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


class EpochUnknown(Exception):
    """A cursor names an epoch that this log has not begun."""

    def __init__(self, cursor: "Cursor", present: int) -> None:
        """`present`: the newest epoch here."""
        super().__init__(
            f"there is no epoch {cursor.epoch} here, the present one is {present}: the database is older "
            "than the reader, or another log's"
        )


class Cursor(NamedTuple):
    """The last position that a reader has read, and in which epoch; -1 before the first."""

    epoch: int | None
    position: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a cursor. Raises NotACursor."""
        written = _WRITTEN.fullmatch(text)
        if written is None:
            message = f"{text[:40]!r} is no place in the feed: write it as 4711, or with its epoch as 1:4711"
            raise NotACursor(message)
        return cls(int(written[1]) if written[1] else None, int(written[2]))

    def __str__(self) -> str:
        """Write it down."""
        return str(self.position) if self.epoch is None else f"{self.epoch}:{self.position}"


def check_cursor(cursor: Cursor, epochs: Sequence[Epoch]) -> None:
    """Make sure that what a reader has read is a part of this log. Raises EpochsPart, EpochUnknown."""
    if cursor.epoch is None:
        return
    present = epochs[-1].epoch
    if cursor.epoch > present:
        raise EpochUnknown(cursor, present)
    later = [epoch for epoch in epochs if epoch.epoch > cursor.epoch]
    first = min(later, key=_from_position, default=None)
    if first is not None and cursor.position >= first.from_position:
        raise EpochsPart(cursor, first._replace(epoch=present))


def _from_position(epoch: Epoch) -> int:
    return epoch.from_position
