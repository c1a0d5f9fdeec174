"""How far a letter has come."""

from typing import Literal

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
