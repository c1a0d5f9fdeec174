"""A second reading of claims, from their raw events alone: no state of the domain, no policy, no view."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ledger.feed.reading import FeedEvent

STATUS_AFTER = {
    "SubmissionCompleted": "submitted",
    "ClaimAccepted": "accepted",
    "ClaimRejected": "rejected",
    "ClaimWithdrawn": "withdrawn",
    "ClaimClosed": "closed",
}


@dataclass
class RawClaim:
    """One claim, added up."""

    claim: str
    contract: str
    guarantee: str
    incident_on: date
    insurance_year: int | None
    opened_position: int
    status: str = "open"
    ever_submitted: bool = False
    counted: int = 0
    loss_cents: int = 0
    approved_cents: int = 0
    excess_cents: int = 0
    reserved_cents: int = 0
    paid: dict[str, int] = field(default_factory=dict)
    taken_back: list[str] = field(default_factory=list)
    recovered: list[int] = field(default_factory=list)
    moves: list[tuple[date, str, int, int]] = field(default_factory=list)
    submissions: list[date] = field(default_factory=list)
    steps: int = 0

    @property
    def refunded_cents(self) -> int:
        return sum(self.paid.values()) - sum(self.paid[reference] for reference in self.taken_back)

    @property
    def recovered_cents(self) -> int:
        return sum(self.recovered)

    def take(self, name: str, said: Any, on: date) -> None:  # noqa: ANN401, C901  # one case a kind of event
        self.steps += 1
        self.status = STATUS_AFTER.get(name, self.status)
        match name:
            case "SubmissionCompleted":
                self.ever_submitted = True
                self.submissions.append(said.completed_on)
            case "ExpertAppointed":
                self.reserved_cents = said.reserved.amount_cents
            case "ExpertCalledOff" | "ClaimRejected" | "ClaimWithdrawn":
                self.counted += int(said.failed_rescue)
                self.reserved_cents = 0
            case "ClaimAccepted":
                self.loss_cents += said.loss_cents
                self.approved_cents += said.approved_cents
                self.excess_cents += said.excess_cents
                self.counted += said.consumed.count
                self.reserved_cents = 0
                if said.refund_raw_due_on is not None:
                    self.submissions.append(on)
            case "RefundIssued":
                self.paid[said.payment_reference] = said.amount_cents
                self.moves.append((on, "refund", said.amount_cents, 0))
            case "RefundFailed" | "RefundReversed":
                self.taken_back.append(said.payment_reference)
                kind = {"RefundFailed": "refund_failed", "RefundReversed": "refund_reversed"}[name]
                self.moves.append((on, kind, -said.amount_cents, 0))
            case "RecoveryReceived":
                self.recovered.append(said.amount_cents)
                self.moves.append((on, "recovery", 0, said.amount_cents))
            case "IncidentCorrected" | "ClaimMoved":
                self.insurance_year = said.insurance_year
                self.incident_on = getattr(said, "incident_on", self.incident_on)
                self.contract = getattr(said, "contract", self.contract)
                if name == "ClaimMoved":
                    self.reserved_cents = 0 if said.reserved is None else said.reserved.amount_cents
                self.counted = sum(holding.count for holding in said.consumed)
                if said.standing is not None:
                    self.approved_cents = said.standing.approved_cents
                    self.excess_cents = said.standing.excess_cents
            case "ClaimReopened":
                self.status = "submitted" if self.ever_submitted else "open"


def raw_claims(events: Iterable[FeedEvent]) -> dict[str, RawClaim]:
    """Add the events of claims up, in the order of their positions."""
    claims: dict[str, RawClaim] = {}
    for event in events:
        if event.stream.kind != "claim":
            continue
        said, name = event.event, event.type.partition(".")[2]
        if name == "ClaimOpened":
            opened: Any = said
            claims[event.stream.number] = RawClaim(
                event.stream.number,
                opened.contract,
                opened.guarantee,
                opened.incident_on,
                opened.insurance_year,
                event.position,
            )
        claims[event.stream.number].take(name, said, event.effective_on)
    return claims


def raw_limits(events: Iterable[FeedEvent]) -> Mapping[tuple[str, int, str], tuple[int, int, int, int]]:
    """Add up what limits moved: amount consumed and reserved, count consumed and reserved."""
    signs = {
        "LimitConsumed": (1, 0),
        "LimitConsumptionReversed": (-1, 0),
        "LimitReserved": (0, 1),
        "LimitReleased": (0, -1),
    }
    sums: dict[tuple[str, int, str], tuple[int, int, int, int]] = {}
    for event in events:
        consumed, reserved = signs.get(event.type.partition(".")[2], (0, 0))
        if not (consumed or reserved):
            continue
        moved: Any = event.event
        place = (event.stream.number, moved.insurance_year, moved.guarantee)
        known = sums.get(place, (0, 0, 0, 0))
        cents, count = moved.amount_cents, moved.count
        more = (consumed * cents, reserved * cents, consumed * count, reserved * count)
        sums[place] = tuple(one + other for one, other in zip(known, more, strict=True))  # type: ignore[assignment]  # four of each
    return sums
