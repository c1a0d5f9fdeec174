"""Reserves and recoveries: what each claim may still cost, what it has cost, what came back."""

from typing import Annotated, Final, NamedTuple, get_args

from ledger.domain.claim.events import ClaimEvent
from ledger.domain.claim.state import Claim
from ledger.domain.codes import GUARANTEES, ClaimStatus
from ledger.store.pool import Connection
from projections.listing import (
    POSITION,
    ApprovedCents,
    ClaimNumber,
    Column,
    ContractNumber,
    ExcessCents,
    Filter,
    GuaranteeCode,
    IncidentOn,
    IncurredCents,
    Listing,
    LossCents,
    NetCents,
    OwedCents,
    RecoveredCents,
    RefundedCents,
    ReservedCents,
    Status,
    YearOfIncident,
)
from projections.runner.registers import register
from projections.runner.rows import RowSource, select
from projections.runner.view import Table


class ReserveRow(NamedTuple):
    """One claim's amounts, in cents."""

    claim: ClaimNumber
    opened_position: int
    contract: ContractNumber
    guarantee: GuaranteeCode
    incident_on: IncidentOn
    insurance_year: YearOfIncident
    status: Status
    counted: Annotated[int, Column("", "number", "How many claims it counts as: 1 or 0.")]
    """1 once it was accepted or a rescue failed (I6, Q11)."""
    loss_cents: LossCents
    approved_cents: ApprovedCents
    excess_cents: ExcessCents
    reserved_cents: ReservedCents
    """While an expert stands (D14)."""
    refunded_cents: RefundedCents
    owed_cents: OwedCents
    recovered_cents: RecoveredCents
    net_cents: NetCents
    incurred_cents: IncurredCents


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


LISTED: Final = Listing(
    name="recoveries",
    summary="Reserves and recoveries: what each claim may still cost, has cost, and what came back",
    row=ReserveRow,
    of=RESERVES,
    is_report=True,
    order=("opened_position",),
    filters=(
        Filter("contract", "Only on this contract."),
        Filter("claim", "Only this claim."),
        Filter("guarantee", "Only claims under this guarantee.", choices=GUARANTEES),
        Filter("before", "Only claims whose incident lies before this date.", "incident_on < %(before)s"),
        Filter("status", "Only claims with this status.", choices=get_args(ClaimStatus)),
    ),
    computed=(POSITION,),
    table="claim contract guarantee status approved_cents reserved_cents refunded_cents owed_cents"
    " recovered_cents net_cents incurred_cents",
    left_out="reserved_cents guarantee contract incurred_cents owed_cents",
    page="claim contract guarantee status approved_cents reserved_cents refunded_cents recovered_cents"
    " net_cents position",
)

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


def by_guarantee(
    connection: Connection, source: RowSource, guarantee: str | None, year: int | None
) -> list[dict[str, object]]:
    """Return counts and sums by calendar year of the incident and guarantee, as far as there are claims."""
    return select(connection, BY_GUARANTEE, TABLE, source, {"guarantee": guarantee, "year": year})
