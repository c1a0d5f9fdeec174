"""A claim, added up from its raw events: its place in the register, its money, its steps, what is due."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from recomputed.due import DueList
from recomputed.raw import RawEvent
from recomputed.steps import step_row

Row = dict[str, object]

REFUND_DAYS = timedelta(days=15)
STATUS_AFTER = {
    "SubmissionCompleted": "submitted",
    "ClaimAccepted": "accepted",
    "ClaimRejected": "rejected",
    "ClaimWithdrawn": "withdrawn",
    "ClaimClosed": "closed",
}


@dataclass
class Figures:
    """What a claim's events add up to, all of them or those of some months."""

    opened: RawEvent
    contract: str
    incident_on: date
    insurance_year: int | None
    status: str = "open"
    ever_submitted: bool = False
    rejection_code: str | None = None
    consumed: dict[int, int] = field(default_factory=dict)
    """How many claims it counts as, by insurance year, as far as it has consumed anything."""
    loss: int = 0
    compensated: int = 0
    approved: int = 0
    excess: int = 0
    reserved: dict[str, Any] | None = None
    refunded: int = 0
    recovered: int = 0

    def take(self, event: RawEvent) -> None:  # noqa: C901  # one case a kind of event
        said = event.said
        self.status = STATUS_AFTER.get(event.name, self.status)
        match event.name:
            case "SubmissionCompleted":
                self.ever_submitted = True
            case "ExpertAppointed":
                self.reserved = said["reserved"]
            case "ExpertCalledOff" | "ClaimRejected" | "ClaimWithdrawn":
                self.rejection_code = said.get("code", self.rejection_code)
                if self.reserved is not None and said["failed_rescue"]:
                    self._consume(self.reserved["insurance_year"], 1)
                self.reserved = None
            case "ClaimAccepted":
                self.loss += said["loss_cents"]
                self.compensated += said["already_compensated_cents"]
                self.approved += said["approved_cents"]
                self.excess += said["excess_cents"]
                self._consume(said["consumed"]["insurance_year"], said["consumed"]["count"])
                self.reserved = None
            case "RefundIssued":
                self.refunded += said["amount_cents"]
            case "RefundFailed" | "RefundReversed":
                self.refunded -= said["amount_cents"]
            case "RecoveryReceived":
                self.recovered += said["amount_cents"]
            case "IncidentCorrected":
                self.incident_on, self.insurance_year = event.day("incident_on"), said["insurance_year"]
                self._stand_afresh(said)
            case "ClaimMoved":
                self.contract, self.insurance_year = said["contract"], said["insurance_year"]
                self.reserved = said["reserved"]
                self._stand_afresh(said)
            case "ClaimReopened":
                self.rejection_code = None
                self.status = "submitted" if self.ever_submitted else "open"

    @property
    def counted(self) -> int:
        return sum(self.consumed.values())

    @property
    def reserved_cents(self) -> int:
        return 0 if self.reserved is None else int(self.reserved["amount_cents"])

    @property
    def owed(self) -> int:
        return self.approved - self.refunded

    def _consume(self, year: int, count: int) -> None:
        self.consumed[year] = self.consumed.get(year, 0) + count

    def _stand_afresh(self, said: dict[str, Any]) -> None:
        """Take what a correction computed afresh, where all that it was computed from is known by then."""
        standing, all_of_it = said["standing"], self.loss - self.compensated
        if standing is not None and standing["approved_cents"] + standing["excess_cents"] != all_of_it:
            return
        if self.consumed:
            self.consumed = {held["insurance_year"]: held["count"] for held in said["consumed"]}
            if standing is not None:
                self.approved, self.excess = standing["approved_cents"], standing["excess_cents"]


def figures_of(events: Iterable[RawEvent]) -> Figures | None:
    """Add up a claim's events in order of position; None while its opening is not among them."""
    figures = None
    for event in events:
        if event.name == "ClaimOpened":
            said = event.said
            figures = Figures(event, said["contract"], event.day("incident_on"), said["insurance_year"])
        elif figures is not None:
            figures.take(event)
    return figures


@dataclass
class Claim:
    """One claim as its raw events leave it."""

    number: str
    figures: Figures
    events: list[RawEvent] = field(default_factory=list)
    moves: list[Row] = field(default_factory=list)
    due: DueList = field(default_factory=DueList)
    counted_from: list[date] = field(default_factory=list)
    """From when the days of each refund run."""
    shown_amounts: list[tuple[int, int]] = field(default_factory=list)
    """Approved and refunded, as each refund's row shows them."""
    months: dict[date, Figures] = field(default_factory=dict)

    @property
    def place(self) -> Row:
        """Which claim a row is of, and to which contract it belongs now."""
        return {
            "claim": self.number,
            "opened_position": self.figures.opened.position,
            "contract": self.figures.contract,
            "guarantee": self.figures.opened.said["guarantee"],
        }

    def take(self, event: RawEvent) -> None:
        self.events.append(event)
        amounts = (self.figures.approved, self.figures.refunded)
        before = [(row.status, row.met_on) for row in self.due.rows]
        self.figures.take(event)
        self._take_due(event)
        self._take_money(event)
        self._take_month(event)
        # A refund's row tells the amounts as they stood when it last changed; the newest follows them.
        now = (self.figures.approved, self.figures.refunded)
        for at, row in enumerate(self.due.rows):
            if at >= len(before):
                self.shown_amounts.append(now)
            elif (
                (row.status, row.met_on) != before[at]
                or event.name == "ClaimMoved"
                or (at == len(self.due.rows) - 1 and now != amounts)
            ):
                self.shown_amounts[at] = now

    def _take_due(self, event: RawEvent) -> None:  # noqa: C901  # one case a kind of event
        due, said = self.due, event.said
        match event.name:
            case "SubmissionCompleted":
                self.counted_from.append(event.day("completed_on"))
                due.forward("refund", "R7", event.day("completed_on") + REFUND_DAYS)
            case "ClaimAccepted" if said["approved_cents"] == 0:
                due.become("cancelled", "refund")
            case "ClaimAccepted" if said["refund_raw_due_on"] is not None:
                self.counted_from.append(event.effective_on)
                due.forward("refund", "R7", event.effective_on + REFUND_DAYS)
            case "ClaimRejected" | "ClaimWithdrawn":
                due.become("cancelled", "refund")
            case "RefundIssued":
                for row in due.rows:
                    if row.seq in said["settles"]:
                        row.meet(event.effective_on)
            case "RefundFailed" | "RefundReversed":
                for row in due.rows:
                    if row.seq in said["reopens"]:
                        row.status, row.met_on = {"met": "open"}.get(row.status, row.status), None
            case "DeadlineMissed":
                due.miss(event)

    def _take_money(self, event: RawEvent) -> None:
        said, paid, received = event.said, 0, 0
        match event.name:
            case "RefundIssued":
                kind, paid = "refund", said["amount_cents"]
            case "RefundFailed":
                kind, paid = "refund_failed", -said["amount_cents"]
            case "RefundReversed":
                kind, paid = "refund_reversed", -said["amount_cents"]
            case "RecoveryReceived":
                kind, received = "recovery", said["amount_cents"]
            case _:
                return
        self.moves.append(
            {
                "number": len(self.moves) + 1,
                "kind": kind,
                "moved_on": event.effective_on,
                "paid_cents": paid,
                "received_cents": received,
                "payment_reference": said.get("payment_reference"),
                "payer": said.get("payer"),
            }
        )

    def _take_month(self, event: RawEvent) -> None:
        """Add up anew the months that the event counts in: its own, and all later ones."""
        month = event.effective_on.replace(day=1)
        for at in {month, *(event.effective_on.replace(day=1) for event in self.events)}:
            if at >= month:
                known = [one for one in self.events if one.effective_on.replace(day=1) <= at]
                figures = figures_of(known)
                if figures is not None:
                    self.months[at] = figures

    def rows(self, position_of: Callable[[str], int]) -> dict[str, list[Row]]:
        return {
            "claims": [self._register()],
            "reserves": [self._reserves()],
            "payments": [self.place | move for move in self.moves],
            "refunds": self._refunds(),
            "timeline": [step_row(self.number, self.figures, self.events[-1])],
            "bordereau": self._bordereau(),
            "due": self._due(position_of(self.figures.contract)),
        }

    def _register(self) -> Row:
        figures = self.figures
        return self.place | {
            "status": figures.status,
            "incident_on": figures.incident_on,
            "insurance_year": figures.insurance_year,
            "loss_cents": figures.loss,
            "approved_cents": figures.approved,
            "excess_cents": figures.excess,
            "refunded_cents": figures.refunded,
            "recovered_cents": figures.recovered,
            "rejection_code": figures.rejection_code,
            "victim": figures.opened.said["victim"]["person"],
        }

    def _reserves(self) -> Row:
        figures = self.figures
        return self.place | {
            "incident_on": figures.incident_on,
            "insurance_year": figures.insurance_year,
            "status": figures.status,
            "counted": figures.counted,
            "loss_cents": figures.loss,
            "approved_cents": figures.approved,
            "excess_cents": figures.excess,
            "reserved_cents": figures.reserved_cents,
            "refunded_cents": figures.refunded,
            "owed_cents": figures.owed,
            "recovered_cents": figures.recovered,
            "net_cents": figures.refunded - figures.recovered,
            "incurred_cents": figures.approved + figures.reserved_cents - figures.recovered,
        }

    def _refunds(self) -> list[Row]:
        refunds = []
        for number, row in enumerate(self.due.rows, 1):
            begun, (approved, refunded) = self.counted_from[number - 1], self.shown_amounts[number - 1]
            refunds.append(
                self.place
                | {
                    "number": number,
                    "submitted_on": begun,
                    "raw_due_on": row.raw,
                    "due_on": row.due,
                    "status": row.status,
                    "approved_cents": approved,
                    "refunded_cents": refunded,
                    "owed_cents": approved - refunded,
                    "settled_on": row.met_on,
                    "days_allowed": REFUND_DAYS.days,
                    "days_taken": None if row.met_on is None else (row.met_on - begun).days,
                    "in_time": {"met": True, "missed": False}.get(row.status),
                }
            )
        return refunds

    def _bordereau(self) -> list[Row]:
        rows, paid, recovered = [], 0, 0
        for month, figures in sorted(self.months.items()):
            rows.append(
                self.place
                | {
                    "contract": figures.contract,
                    "month": month,
                    "incident_on": figures.incident_on,
                    "insurance_year": figures.insurance_year,
                    "status": figures.status,
                    "approved_cents": figures.approved,
                    "paid_cents": figures.refunded - paid,
                    "paid_before_cents": paid,
                    "recovered_cents": figures.recovered - recovered,
                    "recovered_before_cents": recovered,
                    "outstanding_cents": figures.owed + figures.reserved_cents,
                }
            )
            paid, recovered = figures.refunded, figures.recovered
        return rows

    def _due(self, contract_position: int) -> list[Row]:
        place = {
            "subject_rank": 1,
            "subject_position": self.figures.opened.position,
            "contract": self.figures.contract,
            "contract_position": contract_position,
            "guarantee": self.figures.opened.said["guarantee"],
        }
        return [place | row for row in self.due.shown(f"claim:{self.number}")]
