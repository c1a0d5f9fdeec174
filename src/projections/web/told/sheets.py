"""Which columns a report shows on its page; its files have all of them."""

from collections.abc import Mapping, Sequence
from typing import Final

from projections.web.told.columns import Column
from projections.web.words.codes import N_

_CLAIM: Final = (
    Column(N_("Claim"), "claim", "claim"),
    Column(N_("Contract"), "contract", "contract"),
    Column(N_("Guarantee"), "guarantee", "code"),
)
_EVENT: Final = Column(N_("Made by event"), "position", "position")

REPORT_COLUMNS: Final[Mapping[str, Sequence[Column]]] = {
    "bordereau": (
        *_CLAIM,
        Column(N_("Status"), "status", "status"),
        Column(N_("Incident"), "incident_on", "day"),
        Column(N_("Approved"), "approved_cents", "amount"),
        Column(N_("Paid"), "paid_cents", "amount"),
        Column(N_("Paid before"), "paid_before_cents", "amount"),
        Column(N_("Outstanding"), "outstanding_cents", "amount"),
        _EVENT,
    ),
    "refunds": (
        *_CLAIM,
        Column(N_("Status"), "status", "status"),
        Column(N_("Submitted"), "submitted_on", "day"),
        Column(N_("Due"), "due_on", "day"),
        Column(N_("Settled"), "settled_on", "day"),
        Column(N_("Days taken"), "days_taken", "number"),
        Column(N_("Approved"), "approved_cents", "amount"),
        Column(N_("Owed"), "owed_cents", "amount"),
        _EVENT,
    ),
    "payments": (
        *_CLAIM,
        Column(N_("What"), "kind", "code"),
        Column(N_("On"), "moved_on", "day"),
        Column(N_("Paid"), "paid_cents", "amount"),
        Column(N_("Received"), "received_cents", "amount"),
        Column(N_("Reference"), "payment_reference", "text"),
        _EVENT,
    ),
    "recoveries": (
        *_CLAIM,
        Column(N_("Status"), "status", "status"),
        Column(N_("Approved"), "approved_cents", "amount"),
        Column(N_("Reserved"), "reserved_cents", "amount"),
        Column(N_("Refunded"), "refunded_cents", "amount"),
        Column(N_("Recovered"), "recovered_cents", "amount"),
        Column(N_("Net"), "net_cents", "amount"),
        _EVENT,
    ),
    "guarantees": (
        Column(N_("Year"), "incident_year", "text"),
        Column(N_("Guarantee"), "guarantee", "code"),
        Column(N_("Opened"), "claims_opened", "number"),
        Column(N_("Counted"), "claims_counted", "number"),
        Column(N_("Rejected"), "claims_rejected", "number"),
        Column(N_("Approved"), "approved_cents", "amount"),
        Column(N_("Refunded"), "refunded_cents", "amount"),
        Column(N_("Net"), "net_cents", "amount"),
        Column(N_("Days of cover"), "exposed_days", "number"),
        Column(N_("Incurred a year of cover"), "incurred_cents_per_year", "amount"),
    ),
    "timeline": (
        *_CLAIM,
        Column(N_("Step"), "step", "code"),
        Column(N_("Event"), "event", "claim_event"),
        Column(N_("Counts from"), "effective_on", "day"),
        Column(N_("Days since notice"), "days_since_notice", "number"),
        Column(N_("Amount"), "amount_cents", "amount"),
        _EVENT,
    ),
}
