"""Two readings side by side: where they first part, and the shortest history on which they still do."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from oracle.reading import Answer, Book, Line, Rows

VIEWS = ("contracts", "claims", "limits", "due")
LATER = (timedelta(0), timedelta(days=120), timedelta(days=400))  # time goes on by itself after the last line


class Reading(Protocol):
    """What both readings can do."""

    def submit(self, line: Line) -> Answer:
        """Answer one import line."""

    def rows_at(self, instant: datetime) -> dict[str, Rows]:
        """All rows of each view once time has acted up to that instant; leaves the book as it is."""


class SecondReading:
    """The oracle as one of the two."""

    def __init__(self) -> None:
        self.book = Book()

    def submit(self, line: Line) -> Answer:
        return self.book.submit(line)

    def rows_at(self, instant: datetime) -> dict[str, Rows]:
        later = self.book.as_of(instant)
        return {view: getattr(later, view)() for view in VIEWS}


@dataclass(frozen=True)
class Difference:
    """Where two readings part: after which line, in what, and how."""

    lines: tuple[Line, ...]
    kind: str  # what differs, without numbers: two histories with the same kind show the same thing
    theirs: object
    ours: object

    def __str__(self) -> str:
        shown = "\n".join(json.dumps(line, sort_keys=True) for line in self.lines)
        return f"{self.kind}\nhistory:\n{shown}\nimplementation: {self.theirs}\nsecond reading: {self.ours}"


def answers_agree(theirs: Answer, ours: Answer) -> bool:
    """Status and code; the code is left open where the page refuses without naming one."""
    if theirs["status"] != ours["status"]:
        return False
    if ours.get("assumed"):
        return True
    if ours["status"] == "repeated":
        return theirs.get("first") == ours["first"]
    return theirs.get("code") == ours.get("code")


def first_row_apart(view: str, theirs: Rows, ours: Rows) -> tuple[str, object, object] | None:
    """The first row that differs, compared by the names that the second reading has."""
    if view == "due":  # order of rows that open at one instant is nobody's promise
        theirs, ours = sorted(theirs, key=due_order), sorted(ours, key=due_order)
    for their_row, our_row in zip(theirs, ours, strict=False):
        for name, value in our_row.items():
            if their_row.get(name) != value:
                what = f"{view} {our_row.get('kind', '')}{our_row.get('guarantee', '')} {name}"
                return f"{what}: {kind_of(their_row.get(name))} / {kind_of(value)}", their_row, our_row
    if len(theirs) != len(ours):
        return f"{view}: number of rows", theirs[len(ours) :], ours[len(theirs) :]
    return None


def due_order(row: dict[str, Any]) -> tuple[str, ...]:
    return (row["subject"], row["kind"], row["raw_due_on"], row["status"], str(row["met_on"]))


def kind_of(value: object) -> object:
    """A date or an amount differs in many ways that are one."""
    if isinstance(value, str) and not value[:1].isdigit():
        return value
    return type(value).__name__


def difference(
    lines: Sequence[Line], implementation: Callable[[], Reading], *, each_line: bool = False
) -> Difference | None:
    """Submit the lines to both and compare each answer, and all rows at the end (or after each line)."""
    theirs, ours = implementation(), SecondReading()
    latest = datetime.fromisoformat("2000-01-01T00:00:00Z")
    for count, line in enumerate(lines, start=1):
        their_answer, our_answer = theirs.submit(line), ours.submit(line)
        if not answers_agree(their_answer, our_answer):
            kind = f"{line['command']} {said(their_answer)} / {said(our_answer)}"
            return Difference(tuple(lines[:count]), kind, their_answer, our_answer)
        latest = max(latest, datetime.fromisoformat(line["at"]))
        if each_line or count == len(lines):
            for later in LATER if count == len(lines) else LATER[:1]:
                apart = rows_apart(theirs, ours, latest + later)
                if apart:
                    return Difference(tuple(lines[:count]), *apart)
    return None


def said(answer: Answer) -> str:
    return f"{answer['status']} {answer.get('code', '')}".strip()


def rows_apart(theirs: Reading, ours: Reading, instant: datetime) -> tuple[str, object, object] | None:
    their_rows, our_rows = theirs.rows_at(instant), ours.rows_at(instant)
    for view in VIEWS:
        apart = first_row_apart(view, their_rows[view], our_rows[view])
        if apart:
            return apart
    return None


def shortest(found: Difference, implementation: Callable[[], Reading]) -> Difference:
    """Drop lines while a difference of the same kind stays."""
    size = max(1, len(found.lines) // 2)
    while True:
        start = 0
        while start < len(found.lines):
            fewer = found.lines[:start] + found.lines[start + size :]
            again = difference(fewer, implementation) if fewer else None
            if again and again.kind == found.kind:
                found = again
            else:
                start += size
        if size == 1:
            return found
        size //= 2
