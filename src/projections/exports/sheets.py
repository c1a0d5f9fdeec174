"""The sheets of the lists that are read every day: their columns are the fields of the lists' JSON."""

from collections.abc import Mapping

from projections.exports.sheet import Sheet, sheet

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

SHEETS: Mapping[str, Sheet] = {one.name: one for one in (LIMITS, DUE, CONTRACTS, CLAIMS, COMPLAINTS)}
