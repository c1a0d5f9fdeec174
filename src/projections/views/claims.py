"""The register of claims: how each claim stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ledger.domain.claim.events import ClaimEvent
from ledger.domain.claim.state import Claim
from projections.runner.registers import register
from projections.runner.view import Table


class ClaimRow(NamedTuple):
    """One claim, amounts in cents; the victim stands as a person's id."""

    claim: str
    opened_position: int
    contract: str
    guarantee: str
    status: str
    incident_on: date
    insurance_year: int | None
    """That of the incident; None before S (D10)."""
    loss_cents: int
    approved_cents: int
    excess_cents: int
    refunded_cents: int
    recovered_cents: int
    rejection_code: str | None
    victim: str


TABLE = Table("projections.claims", ClaimRow._fields, identity=1)


def row_of(claim: Claim, opened_position: int) -> ClaimRow:
    """Show a claim as one row."""
    return ClaimRow(
        claim.number,
        opened_position,
        claim.contract,
        claim.guarantee,
        claim.status,
        claim.incident_on,
        claim.insurance_year,
        claim.loss_cents,
        claim.approved_cents,
        claim.excess_cents,
        claim.refunded_cents,
        claim.recovered_cents,
        claim.rejection_code,
        claim.person,
    )


CLAIMS = register(
    "claims",
    "claim",
    TABLE,
    frozenset(event.stable_name for event in ClaimEvent.__subclasses__()),
    row_of,
)


SELECT = """
select
    claim, contract, guarantee, status, incident_on, insurance_year,
    loss_cents, approved_cents, excess_cents, refunded_cents, recovered_cents, rejection_code, victim
from ({found}) as found
where (%(claims)s::text[] is null or claim = any(%(claims)s))
    and (%(contracts)s::text[] is null or contract = any(%(contracts)s))
    and (%(guarantee)s::text is null or guarantee = %(guarantee)s)
    and (%(before)s::date is null or incident_on < %(before)s)
    and (%(status)s::text is null or status = %(status)s)
order by opened_position
"""


@dataclass(frozen=True, slots=True)
class ClaimsFilter:
    """Which claims are asked for; None asks for all."""

    claims: Sequence[str] | None = None
    contracts: Sequence[str] | None = None
    guarantee: str | None = None
    before: date | None = None
    """Claims whose incident lies before this date."""
    status: str | None = None
