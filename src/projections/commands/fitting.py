"""Which columns of a table fit into a window, and how wide each is, so that no value is ever cut off."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

GAP = 2
"""Cells between two columns."""
EDGES = 2
"""Cells at both edges of a table."""
SHORTEST_FOLD = 20
"""A text that may fold is not folded into fewer cells than this, its longest word if that is shorter."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a column asks for, in cells."""

    natural: int
    """To stand on one line."""
    least: int
    """To lose nothing."""
    spare: int = 0
    """Left out first where it is highest; 0: never left out."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The columns that are shown and their widths in cells."""

    shown: Sequence[int]
    widths: Sequence[int]


def fit(demands: Sequence[Demand], window: int) -> Fit:
    """Leave out what can be spared until the rest fits into `window` cells, then share the room.

    What can't be spared and doesn't fit keeps its least width: the terminal folds the line, and no value is
    cut off.
    """
    shown = list(range(len(demands)))
    while total([demands[index].least for index in shown]) > window:
        sparest = max(shown, key=lambda index: demands[index].spare)
        if not demands[sparest].spare:
            break
        shown.remove(sparest)
    widths = [demands[index].natural for index in shown]
    while total(widths) > window:
        roomiest = max(range(len(shown)), key=lambda at: widths[at] - demands[shown[at]].least)
        if widths[roomiest] == demands[shown[roomiest]].least:
            break
        widths[roomiest] -= 1
    return Fit(shown, widths)


def demand(
    header: str, cells: Sequence[str], *, folds: bool, spare: int, measure: Callable[[str], int] = len
) -> Demand:
    """Say what a column of these cells asks for. Its header may always fold between words.

    `measure`: how many cells a text takes in the window.
    """
    longest = max(map(measure, cells), default=0)
    words = max((measure(word) for cell in cells for word in cell.split()), default=0)
    least = min(words, SHORTEST_FOLD) if folds else longest
    return Demand(max(longest, measure(header)), max(least, *map(measure, header.split())), spare)


def total(widths: Sequence[int]) -> int:
    """Give the width of a whole table whose columns are so wide."""
    return sum(widths) + GAP * (len(widths) - 1) + EDGES
