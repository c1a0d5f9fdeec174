"""How far a letter has come."""

from typing import Literal, get_args

LetterStatus = Literal[
    "wanted",
    "written",
    "prepared",
    "staged",
    "handed_over",
    "posted",
    "returned",
    "dropped",
    "erased",
]
STATUSES: tuple[LetterStatus, ...] = get_args(LetterStatus)
"""In the order that a letter goes through them; the last two instead."""
