"""The archive's folder: what it holds, and what is still to be written.

A file is named by its first and last position, so that names sort as positions do. A range that is full is
never written again; the last one, not full yet, is replaced by one that reaches further.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ledger.errors import Rejected

RANGE: Final = 100_000
"""Positions of a full file."""

NAME: Final = re.compile(r"events-(\d{12})-(\d{12})\.parquet")


class Range(NamedTuple):
    """One file's positions, both included."""

    first: int
    last: int

    @property
    def name(self) -> str:
        """The file's name."""
        return f"events-{self.first:012d}-{self.last:012d}.parquet"

    @property
    def head_name(self) -> str:
        """The name of the signed head beside it."""
        return f"events-{self.first:012d}-{self.last:012d}.checkpoint"


def ranges_of(folder: Path) -> list[Range]:
    """Give the ranges that a folder holds, in order. Raises `Rejected` where they leave a gap or overlap."""
    reaching: dict[int, int] = {}
    for path in folder.glob("events-*.parquet"):
        if named := NAME.fullmatch(path.name):
            # A program that was killed may have left a range as it stood before it grew.
            reaching[int(named[1])] = max(int(named[2]), reaching.get(int(named[1]), 0))
    held = [Range(first, last) for first, last in sorted(reaching.items())]
    expected = 0
    for one in held:
        if one.first != expected:
            message = (
                f"{folder} holds {one.name}, where a file from position {expected} on is awaited: archive"
                " into an empty folder, and find out what became of this one."
            )
            raise Rejected(message)
        expected = one.last + 1
    return held


def to_write(held: list[Range], end: int, length: int = RANGE) -> Iterator[Range]:
    """Give the ranges to write so that the archive reaches `end`: the last one anew if it can grow."""
    first = 0
    if held:
        last = held[-1]
        whole = last.last - last.first + 1 >= length
        first = last.last + 1 if whole or last.last >= end else last.first
    while first <= end:
        last_of_it = min(end, first - first % length + length - 1)
        yield Range(first, last_of_it)
        first = last_of_it + 1
