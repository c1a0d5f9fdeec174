"""The sheets of the lists: their columns in order, each with the kind of its values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["text", "integer", "truth", "date", "instant"]
"""Cents and days are integers; a date is Brussels'; an instant is aware."""

CENTS = "_cents_"
"""In the name of what is in cents (`net_cents_per_year`), wherever it stands; a name's end is one too."""

Row = Mapping[str, object]
Rows = Iterable[Row]


class SheetColumn(NamedTuple):
    """One column, named like the field of the rows' JSON."""

    name: str
    kind: Kind = "text"

    @property
    def is_cents(self) -> bool:
        """Whether it holds cents."""
        return CENTS in f"{self.name}_"

    @property
    def name_in_euro(self) -> str:
        """What it is called where its amounts are in euro."""
        return f"{self.name}_".replace(CENTS, "_").removesuffix("_")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list's name and columns. Fields of a row that no column names are left out of the file."""

    name: str
    columns: tuple[SheetColumn, ...]

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]


def sheet(name: str, /, **kinds: Kind) -> Sheet:
    """Return a sheet of these columns, each with its kind: `sheet("due", subject="text", due_on="date")`."""
    return Sheet(name, tuple(SheetColumn(column, kind) for column, kind in kinds.items()))


LIMITS = sheet(
    "limits",
    contract="text",
    insurance_year="integer",
    from_on="date",
    to_on="date",
    guarantee="text",
    amount_limit_cents="integer",
    amount_consumed_cents="integer",
    amount_reserved_cents="integer",
    amount_remaining_cents="integer",
    count_limit="integer",
    count_consumed="integer",
    count_reserved="integer",
    count_remaining="integer",
)
DUE = sheet(
    "due",
    subject="text",
    kind="text",
    rule="text",
    raw_due_on="date",
    due_on="date",
    alert_on="date",
    status="text",
    met_on="date",
)
CONTRACTS = sheet(
    "contracts",
    contract="text",
    status="text",
    product="text",
    terms="text",
    starts_on="date",
    ends_on="date",
    notice_gate_on="date",
    term="integer",
    policyholder="text",
    language="text",
)
CLAIMS = sheet(
    "claims",
    claim="text",
    contract="text",
    guarantee="text",
    status="text",
    incident_on="date",
    insurance_year="integer",
    loss_cents="integer",
    approved_cents="integer",
    excess_cents="integer",
    refunded_cents="integer",
    recovered_cents="integer",
    rejection_code="text",
    victim="text",
)
COMPLAINTS = sheet(
    "complaints",
    complaint="text",
    contract="text",
    claim="text",
    status="text",
    received_on="date",
    complainant="text",
)

REFUNDS = sheet(
    "refunds",
    claim="text",
    number="integer",
    contract="text",
    guarantee="text",
    status="text",
    submitted_on="date",
    raw_due_on="date",
    due_on="date",
    settled_on="date",
    days_allowed="integer",
    days_taken="integer",
    in_time="truth",
    approved_cents="integer",
    refunded_cents="integer",
    owed_cents="integer",
    position="integer",
)
PAYMENTS = sheet(
    "payments",
    claim="text",
    number="integer",
    contract="text",
    guarantee="text",
    kind="text",
    moved_on="date",
    paid_cents="integer",
    received_cents="integer",
    payment_reference="text",
    payer="text",
    position="integer",
)
RECOVERIES = sheet(
    "recoveries",
    claim="text",
    contract="text",
    guarantee="text",
    incident_on="date",
    insurance_year="integer",
    status="text",
    counted="integer",
    loss_cents="integer",
    approved_cents="integer",
    excess_cents="integer",
    reserved_cents="integer",
    refunded_cents="integer",
    owed_cents="integer",
    recovered_cents="integer",
    net_cents="integer",
    incurred_cents="integer",
    position="integer",
)
TIMELINE = sheet(
    "timeline",
    claim="text",
    version="integer",
    contract="text",
    guarantee="text",
    step="text",
    event="text",
    effective_on="date",
    at="instant",
    actor="text",
    days_since_notice="integer",
    amount_cents="integer",
    said="text",
    position="integer",
)
BORDEREAU = sheet(
    "bordereau",
    month="date",
    claim="text",
    contract="text",
    guarantee="text",
    incident_on="date",
    insurance_year="integer",
    status="text",
    approved_cents="integer",
    paid_cents="integer",
    paid_before_cents="integer",
    recovered_cents="integer",
    recovered_before_cents="integer",
    outstanding_cents="integer",
    position="integer",
)
GUARANTEES = sheet(
    "guarantees",
    incident_year="integer",
    guarantee="text",
    claims_opened="integer",
    claims_counted="integer",
    claims_undecided="integer",
    claims_rejected="integer",
    claims_withdrawn="integer",
    loss_cents="integer",
    approved_cents="integer",
    excess_cents="integer",
    reserved_cents="integer",
    refunded_cents="integer",
    owed_cents="integer",
    recovered_cents="integer",
    net_cents="integer",
    incurred_cents="integer",
    exposed_days="integer",
    net_cents_per_year="integer",
    incurred_cents_per_year="integer",
)

SHEETS: Mapping[str, Sheet] = {
    one.name: one
    for one in (
        LIMITS,
        DUE,
        CONTRACTS,
        CLAIMS,
        COMPLAINTS,
        REFUNDS,
        PAYMENTS,
        RECOVERIES,
        TIMELINE,
        BORDEREAU,
        GUARANTEES,
    )
}
