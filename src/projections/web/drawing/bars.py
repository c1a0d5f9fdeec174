"""A limit as a bar: what each claim consumed, what is reserved, what is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

LENGTH = 1000
"""Length of a full bar, in the drawing's own units."""
NARROWEST = 6
"""A part that holds something is never drawn narrower."""

Kind = Literal["consumed", "reserved"]


@dataclass(frozen=True, slots=True)
class Part:
    """What one claim holds of a limit: cents, or claims."""

    claim: str
    kind: Kind
    amount: int
    position: int
    """Of the newest event that made it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of a bar."""

    part: Part
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A whole bar; what no segment covers is left."""

    limit: int
    segments: Sequence[Segment]

    @property
    def used(self) -> int:
        """What is consumed and reserved together."""
        return sum(segment.part.amount for segment in self.segments)

    @property
    def left(self) -> int:
        """What remains of the limit."""
        return self.limit - self.used


def bar(limit: int, parts: Sequence[Part]) -> Bar:
    """Draw a limit with its parts, in order. Parts of nothing are not drawn."""
    segments: list[Segment] = []
    x = 0
    for part in parts:
        if part.amount <= 0:
            continue
        width = max(NARROWEST, round(LENGTH * part.amount / limit)) if limit else LENGTH
        width = min(width, LENGTH - x)
        segments.append(Segment(part, x, width))
        x += width
    return Bar(limit, segments)
