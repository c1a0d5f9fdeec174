"""Reserves and recoveries: what each claim may still cost, what it has cost, what came back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ledger.domain.claim.events import ClaimEvent
from ledger.domain.claim.state import Claim
from ledger.store.pool import Connection
from projections.runner.registers import register
from projections.runner.rows import RowSource, select
from projections.runner.view import Table


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


SELECT = """
select
    claim, contract, guarantee, incident_on, insurance_year, status, counted, loss_cents, approved_cents,
    excess_cents, reserved_cents, refunded_cents, owed_cents, recovered_cents, net_cents, incurred_cents,
    from_position as position
from ({found}) as found
where (%(contracts)s::text[] is null or contract = any(%(contracts)s))
    and (%(claims)s::text[] is null or claim = any(%(claims)s))
    and (%(guarantee)s::text is null or guarantee = %(guarantee)s)
    and (%(before)s::date is null or incident_on < %(before)s)
    and (%(status)s::text is null or status = %(status)s)
order by opened_position
"""

# A claim counts in the calendar year of its incident, whatever was recorded when (I7 has it for the limits).
BY_GUARANTEE = """
select
    extract(year from incident_on)::int as incident_year, guarantee,
    count(*)::int as claims_opened,
    coalesce(sum(counted), 0)::int as claims_counted,
    (count(*) filter (where status in ('open', 'submitted')))::int as claims_undecided,
    (count(*) filter (where status = 'rejected'))::int as claims_rejected,
    (count(*) filter (where status = 'withdrawn'))::int as claims_withdrawn,
    sum(loss_cents)::bigint as loss_cents,
    sum(approved_cents)::bigint as approved_cents,
    sum(excess_cents)::bigint as excess_cents,
    sum(reserved_cents)::bigint as reserved_cents,
    sum(refunded_cents)::bigint as refunded_cents,
    sum(owed_cents)::bigint as owed_cents,
    sum(recovered_cents)::bigint as recovered_cents,
    sum(net_cents)::bigint as net_cents,
    sum(incurred_cents)::bigint as incurred_cents
from ({found}) as found
where (%(guarantee)s::text is null or guarantee = %(guarantee)s)
    and (%(year)s::int is null or extract(year from incident_on) = %(year)s)
group by 1, 2
order by 1, 2
"""


@dataclass(frozen=True, slots=True)
class ReservesFilter:
    """Which claims are asked for; None asks for all."""

    contracts: Sequence[str] | None = None
    claims: Sequence[str] | None = None
    guarantee: str | None = None
    before: date | None = None
    """Claims whose incident lies before this date."""
    status: str | None = None


def by_guarantee(
    connection: Connection, source: RowSource, guarantee: str | None, year: int | None
) -> list[dict[str, object]]:
    """Return counts and sums by calendar year of the incident and guarantee, as far as there are claims."""
    return select(connection, BY_GUARANTEE, TABLE, source, {"guarantee": guarantee, "year": year})
