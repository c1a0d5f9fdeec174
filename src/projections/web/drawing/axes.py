"""Axes: steps that people count in."""

from collections.abc import Sequence
from math import ceil, floor, log10


def steps(highest: int, wanted: int = 4) -> Sequence[float]:
    """Give round figures from 0 to at least `highest`, about `wanted` of them beside 0."""
    if highest <= 0:
        return (0, 1)
    rough = highest / wanted
    magnitude = 10.0 ** floor(log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough)
    if highest <= wanted:
        step = max(1, ceil(step))
    return tuple(round(step * number, 6) for number in range(ceil(highest / step) + 1))
