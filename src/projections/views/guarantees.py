"""Figures by guarantee: counts and losses by calendar year of the incident, beside the days of cover."""

from typing import Annotated, Final, NamedTuple

from ledger.domain.codes import GUARANTEES
from projections.listing import (
    ApprovedCents,
    Column,
    ExcessCents,
    Filter,
    GuaranteeCode,
    IncurredCents,
    Listing,
    LossCents,
    NetCents,
    OwedCents,
    RecoveredCents,
    RefundedCents,
    ReservedCents,
)


class GuaranteeRow(NamedTuple):
    """One calendar year and guarantee in which there was cover or a claim. Amounts in cents."""

    incident_year: Annotated[int, Column("Year", "year")]
    guarantee: GuaranteeCode
    claims_opened: Annotated[int, Column("Opened", "number", short="claims")]
    claims_counted: Annotated[int, Column("Counted", "number")]
    claims_undecided: Annotated[int, Column("", "number")]
    claims_rejected: Annotated[int, Column("Rejected", "number")]
    claims_withdrawn: Annotated[int, Column("", "number")]
    loss_cents: LossCents
    approved_cents: ApprovedCents
    excess_cents: ExcessCents
    reserved_cents: ReservedCents
    refunded_cents: RefundedCents
    owed_cents: OwedCents
    recovered_cents: RecoveredCents
    net_cents: NetCents
    incurred_cents: IncurredCents
    exposed_days: Annotated[int, Column("Days of cover", "number")]
    net_cents_per_year: Annotated[int | None, Column("", "amount", short="net a year of cover")]
    incurred_cents_per_year: Annotated[int | None, Column("Incurred a year of cover", "amount")]


LISTED: Final = Listing(
    name="guarantees",
    summary="Counts and losses by calendar year of the incident and guarantee, beside the days of cover",
    row=GuaranteeRow,
    of=None,
    further_views=("reserves", "contracts"),
    is_report=True,
    order=(),
    filters=(
        Filter("guarantee", "Only this guarantee.", choices=GUARANTEES),
        Filter("year", "Only incidents of this year."),
    ),
    table="incident_year guarantee claims_opened claims_counted claims_rejected reserved_cents approved_cents"
    " refunded_cents recovered_cents net_cents exposed_days net_cents_per_year",
    left_out="exposed_days reserved_cents claims_rejected approved_cents recovered_cents",
    page="incident_year guarantee claims_opened claims_counted claims_rejected approved_cents refunded_cents"
    " net_cents exposed_days incurred_cents_per_year",
)
