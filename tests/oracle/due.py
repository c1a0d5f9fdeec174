"""Rows of what is due (R6 to R12, I15), read a second time."""

from dataclasses import dataclass
from datetime import date, datetime

from oracle import brussels
from oracle.brussels import DAY


@dataclass
class Due:
    """One row of the list of due dates."""

    subject: str
    kind: str
    rule: str
    raw: date
    due: date
    alert: date
    status: str = "open"
    met_on: date | None = None
    met_by: str | None = None  # the payment that met a refund (D12)
    decided: bool = False  # whether a decision followed the submission that opened a refund row

    def meet(self, on: date, by: str | None = None) -> None:
        """R12: missed stays missed; met_on is filled when it is met late."""
        if self.status == "open":
            self.status, self.met_on, self.met_by = "met", on, by
        elif self.status == "missed" and self.met_on is None:
            self.met_on, self.met_by = on, by

    def cancel(self) -> None:
        """I15: cancelled means still open."""
        if self.status == "open":
            self.status = "cancelled"

    def acts_at(self) -> datetime | None:
        """R12: the instant at which time acts on an open row by itself; an end acts through its contract."""
        if self.status != "open" or self.kind in ("term_end", "notice_end"):
            return None
        if self.kind == "withdrawal_end":  # D6: met unused on its day
            return brussels.midnight(self.due)
        if self.kind == "termination_letter":  # R12: of the day after N
            return brussels.midnight(self.raw + DAY)
        return brussels.midnight(self.due + DAY)

    def act(self) -> None:
        if self.kind == "withdrawal_end":
            self.meet(self.due)
        else:
            self.status = "missed"

    def row(self) -> dict[str, object]:
        return {
            "subject": self.subject,
            "kind": self.kind,
            "rule": self.rule,
            "raw_due_on": self.raw.isoformat(),
            "due_on": self.due.isoformat(),
            "alert_on": self.alert.isoformat(),
            "status": self.status,
            "met_on": self.met_on.isoformat() if self.met_on else None,
        }


def rolled_forward(subject: str, kind: str, rule: str, raw: date) -> Due:
    """R7: alert_on is the working day on or before the raw date."""
    return Due(subject, kind, rule, raw, brussels.roll_forward(raw), brussels.roll_back(raw))


def termination_letter(subject: str, end: date) -> Due:
    """R6: the deadline rolls back."""
    raw = brussels.last_timely_posting(end)
    back = brussels.roll_back(raw)
    return Due(subject, "termination_letter", "R6", raw, back, back)


def end_of_cover(subject: str, kind: str, rule: str, end: date) -> Due:
    """R7: the three dates of term_end and notice_end are the same."""
    return Due(subject, kind, rule, end, end, end)


def let_time_act(rows: list[Due], until: datetime) -> None:
    """Miss what is open at each instant up to and including until."""
    for row in rows:
        instant = row.acts_at()
        if instant is not None and instant <= until:
            row.act()
