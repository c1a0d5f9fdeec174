"""A report's columns for people, made from the sheet that its files are written by."""

from collections.abc import Mapping, Sequence
from typing import Final

from projections.exports.sheet import Column as SheetColumn
from projections.exports.sheet import Sheet
from projections.web.told.columns import Column
from projections.web.words.codes import N_

HEADINGS: Final[Mapping[str, str]] = {
    "claim": N_("Claim"),
    "contract": N_("Contract"),
    "guarantee": N_("Guarantee"),
    "status": N_("Status"),
    "position": N_("Event"),
    "kind": N_("What"),
    "step": N_("Step"),
    "type": N_("Event"),
    "submitted_on": N_("Submitted"),
    "due_on": N_("Due"),
    "settled_on": N_("Settled"),
    "days_taken": N_("Days taken"),
    "days_allowed": N_("of"),
    "approved_cents": N_("Approved"),
    "refunded_cents": N_("Refunded"),
    "recovered_cents": N_("Recovered"),
    "owed_cents": N_("Owed"),
    "reserved_cents": N_("Reserved"),
    "outstanding_cents": N_("Outstanding"),
    "paid_cents": N_("Paid"),
    "received_cents": N_("Received"),
    "net_cents": N_("Net"),
    "incurred_cents": N_("Incurred"),
    "previously_paid_cents": N_("Paid before"),
    "paid_in_month_cents": N_("Paid in the month"),
    "moved_on": N_("On"),
    "payment_reference": N_("Reference"),
    "payer": N_("Payer"),
    "incident_on": N_("Incident"),
    "incident_year": N_("Year"),
    "insurance_year": N_("Year"),
    "exposed_days": N_("Days of cover"),
    "loss_cents": N_("Loss"),
    "excess_cents": N_("Excess"),
}
"""Field → heading; a field that is not named here stands by its own name."""

LINKS: Final = frozenset({"contract", "claim", "complaint"})
CODES: Final = frozenset({"guarantee", "kind", "step", "cause"})


def columns_of(sheet: Sheet, rows: Sequence[Mapping[str, object]]) -> Sequence[Column]:
    """Give the columns of which any row holds anything."""
    return [
        Column(
            HEADINGS.get(column.name, column.name.removesuffix("_cents").replace("_", " ")),
            column.name,
            _look(column),
        )
        for column in sheet.columns
        if any(row.get(column.name) is not None for row in rows)
    ]


def _look(column: SheetColumn) -> str:
    name = column.name
    if name in LINKS:
        return name
    if name == "status":
        return "status"
    if name == "type":
        return "event"
    if name in CODES:
        return "code"
    if "_cents" in name:
        return "amount"
    return {"date": "day", "instant": "instant", "integer": "number"}.get(column.kind, "text")
