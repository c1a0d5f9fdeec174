"""Rows of what is due on one contract, claim or complaint, from what its events say."""

from dataclasses import dataclass, field
from datetime import date

from oracle import brussels
from recomputed.raw import RawEvent

DueRow = dict[str, object]


@dataclass
class Due:
    """One row."""

    kind: str
    rule: str
    seq: int
    raw: date
    due: date
    alert: date
    status: str = "open"
    met_on: date | None = None

    def meet(self, on: date) -> None:
        if self.status == "open":
            self.status = "met"
        elif self.status != "missed" or self.met_on is not None:
            return
        self.met_on = on

    def become(self, status: str) -> None:
        if self.status == "open":
            self.status = status

    def end_with(self, end: date) -> None:
        """Give way to an end of the contract, unless it was over by then: an end may be recorded late."""
        over = self.raw < end or (self.met_on is not None and self.met_on < end)
        if not over:
            self.status, self.met_on = "cancelled", None


@dataclass
class DueList:
    """All rows of one subject, in order of opening."""

    rows: list[Due] = field(default_factory=list)

    def of(self, kind: str) -> list[Due]:
        return [row for row in self.rows if row.kind == kind]

    def open(self, kind: str, rule: str, raw: date, due: date, alert: date) -> None:
        self.rows.append(Due(kind, rule, len(self.of(kind)) + 1, raw, due, alert))

    def forward(self, kind: str, rule: str, raw: date) -> None:
        self.open(kind, rule, raw, brussels.roll_forward(raw), brussels.roll_back(raw))

    def backward(self, kind: str, rule: str, raw: date) -> None:
        self.open(kind, rule, raw, brussels.roll_back(raw), brussels.roll_back(raw))

    def on_the_day(self, kind: str, rule: str, day: date) -> None:
        self.open(kind, rule, day, day, day)

    def meet(self, kind: str, on: date) -> None:
        for row in self.of(kind):
            row.meet(on)

    def become(self, status: str, *kinds: str) -> None:
        for row in self.rows:
            if row.kind in kinds:
                row.become(status)

    def miss(self, event: RawEvent) -> None:
        """Take a DeadlineMissed: it names the row by its kind and its number among the kind's."""
        [row] = [row for row in self.of(event.said["kind"]) if row.seq == event.said["seq"]]
        row.become("missed")

    def shown(self, subject: str) -> list[DueRow]:
        return [
            {
                "subject": subject,
                "opening": opening,
                "kind": row.kind,
                "rule": row.rule,
                "seq": row.seq,
                "raw_due_on": row.raw,
                "due_on": row.due,
                "alert_on": row.alert,
                "status": row.status,
                "met_on": row.met_on,
            }
            for opening, row in enumerate(self.rows)
        ]
