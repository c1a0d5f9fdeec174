"""The register of claims: how each claim stands."""

from typing import Annotated, Final, NamedTuple, get_args

from ledger.domain.claim.events import ClaimEvent
from ledger.domain.claim.state import Claim
from ledger.domain.codes import GUARANTEES, ClaimStatus
from projections.listing import (
    ApprovedCents,
    ClaimNumber,
    Column,
    ContractNumber,
    ExcessCents,
    Filter,
    GuaranteeCode,
    IncidentOn,
    Listing,
    LossCents,
    RecoveredCents,
    RefundedCents,
    Status,
    YearOfIncident,
)
from projections.runner.registers import register
from projections.runner.view import Table


class ClaimRow(NamedTuple):
    """One claim, amounts in cents; the victim stands as a person's id."""

    claim: ClaimNumber
    opened_position: int
    contract: ContractNumber
    guarantee: GuaranteeCode
    status: Status
    incident_on: Annotated[
        IncidentOn, Column("Incident", "day", "Date of the (first) incident.", is_promised=False)
    ]
    insurance_year: YearOfIncident
    loss_cents: LossCents
    approved_cents: ApprovedCents
    excess_cents: ExcessCents
    refunded_cents: RefundedCents
    recovered_cents: RecoveredCents
    rejection_code: Annotated[str | None, Column("", "text", "Why it was rejected.", "rejected for")]
    victim: Annotated[str, Column("", "text", "Id of the person; never a name.")]


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


LISTED: Final = Listing(
    name="claims",
    summary="Claims in the order in which they were opened",
    row=ClaimRow,
    of=CLAIMS,
    order=("opened_position",),
    filters=(
        Filter("contract", "Only claims on this contract."),
        Filter("guarantee", "Only claims under this guarantee.", choices=GUARANTEES),
        Filter("status", "Only claims with this status.", choices=get_args(ClaimStatus)),
        Filter("before", "Only claims whose incident lies before this date.", "incident_on < %(before)s"),
    ),
    conditions={
        "claim": "claim = %(claim)s",
        "beginning": "claim like %(beginning)s or contract like %(beginning)s",
    },
    table="claim contract guarantee status incident_on insurance_year loss_cents approved_cents excess_cents"
    " refunded_cents recovered_cents rejection_code",
    left_out="recovered_cents excess_cents rejection_code refunded_cents insurance_year loss_cents",
    page="claim contract guarantee status incident_on loss_cents approved_cents refunded_cents",
    page_spares="loss_cents",
)
