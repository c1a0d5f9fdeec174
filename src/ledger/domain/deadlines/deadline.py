"""A row of the `due` view: what is due on a subject, when, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from ledger.domain.calendar import ONE_DAY, brussels_midnight, roll_back, roll_forward
from ledger.domain.identifiers import StreamRef
from ledger.domain.statuses import DeadlineKind, DeadlineStatus

DeadlineRule = Literal["R3", "R5", "R6", "R7", "R9", "R10", "R13"]


@dataclass(frozen=True, slots=True)
class Deadline:
    """One due date of one subject. `seq` numbers the subject's rows of one kind, from 1."""

    subject: StreamRef
    kind: DeadlineKind
    rule: DeadlineRule
    seq: int
    raw_due_on: date
    due_on: date
    alert_on: date
    status: DeadlineStatus = "open"
    met_on: date | None = None


@dataclass(frozen=True, slots=True)
class Diarise:
    """A further row of a policy's kind."""

    raw_due_on: date
    due_on: date
    alert_on: date


@dataclass(frozen=True, slots=True)
class Strike:
    """What happens to each standing row of a policy's kind."""

    through: Callable[[Deadline], Deadline]


def on_the_day(day: date) -> Diarise:
    """Diarise an end, whose three dates are the same (R7)."""
    return Diarise(day, day, day)


def rolled_forward(raw_due_on: date) -> Diarise:
    """Diarise a day that rolls forward to a working day, with its alert before it (R7)."""
    return Diarise(raw_due_on, roll_forward(raw_due_on), roll_back(raw_due_on))


def rolled_back(raw_due_on: date) -> Diarise:
    """Diarise a day that rolls back to a working day (R6)."""
    due_on = roll_back(raw_due_on)
    return Diarise(raw_due_on, due_on, due_on)


def met(row: Deadline, on: date) -> Deadline:
    """Meet a row: an open one is met; a missed one stays missed and says when it was met late (R12)."""
    if row.status == "open":
        return replace(row, status="met", met_on=on)
    if row.status == "missed" and row.met_on is None:
        return replace(row, met_on=on)
    return row


def missed(row: Deadline) -> Deadline:
    """Miss a row that is still open."""
    return replace(row, status="missed") if row.status == "open" else row


def cancelled(row: Deadline) -> Deadline:
    """Cancel a row that is still open."""
    return replace(row, status="cancelled") if row.status == "open" else row


def cancelled_by_end(row: Deadline, ends_on: date) -> Deadline:
    """Cancel a row that was still open when the contract ended on or before its raw date (I15).

    An end may be recorded late (D3): what a later day has made of the row meanwhile never came to be, and
    goes.
    """
    resolved_before = row.met_on is not None and row.met_on < ends_on
    if row.raw_due_on < ends_on or resolved_before or row.status == "cancelled":
        return row
    return replace(row, status="cancelled", met_on=None)


def takes_effect_at(deadline: Deadline) -> datetime | None:
    """Give the instant (UTC) at which time acts on an open row (R12); None for any other row.

    An end is met at 00:00 of its date, an unused withdrawal likewise on its day (D6); a letter is missed at
    00:00 of the day after N, everything else at 00:00 of the day after `due_on`.
    """
    if deadline.status != "open":
        return None
    match deadline.kind:
        case "term_end" | "notice_end" | "withdrawal_end":
            return brussels_midnight(deadline.due_on)
        case "termination_letter":
            return brussels_midnight(deadline.raw_due_on + ONE_DAY)
        case _:
            return brussels_midnight(deadline.due_on + ONE_DAY)
