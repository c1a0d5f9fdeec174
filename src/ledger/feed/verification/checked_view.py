"""What a check of a view says when all is well (entry points `coverledger.view_checks`)."""

from collections.abc import Callable
from typing import NamedTuple

Progress = Callable[[int, int], None]
"""Told how many events are folded and how many there are."""


class CheckedView(NamedTuple):
    """A view that is what the feed gives: its rows, and the position that it stands for."""

    rows: int
    position: int
    """-1 where it has not followed the feed yet."""
