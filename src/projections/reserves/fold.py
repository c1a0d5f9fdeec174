"""What one claim costs: reserved, approved, refunded, owed, recovered."""

from datetime import date
from typing import NamedTuple

from ledger.domain.claim.events import ClaimEvent
from ledger.domain.claim.state import Claim
from projections.folding.registers import register
from projections.folding.view import Table


class ReserveRow(NamedTuple):
    """One claim's amounts, in cents."""

    claim: str
    opened_position: int
    contract: str
    guarantee: str
    incident_on: date
    insurance_year: int | None
    """That of the incident; None before S (D10)."""
    status: str
    counted: int
    """How many claims it counts as: 1 once it was accepted or a rescue failed (I6, Q11), else 0."""
    loss_cents: int
    approved_cents: int
    excess_cents: int
    reserved_cents: int
    """Set aside while an expert stands (D14)."""
    refunded_cents: int
    owed_cents: int
    """Approved and not paid yet."""
    recovered_cents: int
    net_cents: int
    """Paid, less what third parties paid back."""
    incurred_cents: int
    """Approved and reserved, less what third parties paid back."""


TABLE = Table("projections.reserves", ReserveRow._fields, identity=1)


def row_of(claim: Claim, opened_position: int) -> ReserveRow:
    """Show a claim's amounts as one row."""
    reserved_cents = 0 if claim.reserved is None else claim.reserved.amount_cents
    return ReserveRow(
        claim.number,
        opened_position,
        claim.contract,
        claim.guarantee,
        claim.incident_on,
        claim.insurance_year,
        claim.status,
        sum(holding.count for holding in claim.consumed),
        claim.loss_cents,
        claim.approved_cents,
        claim.excess_cents,
        reserved_cents,
        claim.refunded_cents,
        claim.owed_cents,
        claim.recovered_cents,
        claim.refunded_cents - claim.recovered_cents,
        claim.approved_cents + reserved_cents - claim.recovered_cents,
    )


RESERVES = register(
    "reserves",
    "claim",
    TABLE,
    frozenset(event.stable_name for event in ClaimEvent.__subclasses__()),
    row_of,
)
