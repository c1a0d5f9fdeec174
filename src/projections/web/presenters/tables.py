"""Which columns a table of a page shows, and how each is written; a report's files have all of them."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from projections.web.i18n.codes import N_


class PageColumn(NamedTuple):
    """One column: its heading, the field of the row, and how it is written."""

    heading: str
    field: str
    look: str = "text"
    """`contract`, `claim`, `complaint`, `subject`: a link; `status`, `code`, `event`, `day`, `instant`,
    `amount`, `number`, `hash`, `text`."""
    is_spare: bool = False
    """Whether a narrow window leaves it out."""


CONTRACTS = (
    PageColumn(N_("Contract"), "contract", "contract"),
    PageColumn(N_("Status"), "status", "status"),
    PageColumn(N_("Starts"), "starts_on", "day"),
    PageColumn(N_("Ends"), "ends_on", "day"),
    PageColumn(N_("Year"), "term", "number"),
    PageColumn(N_("Notice from"), "notice_gate_on", "day", is_spare=True),
    PageColumn(N_("Policyholder"), "policyholder", "text", is_spare=True),
)
CLAIMS = (
    PageColumn(N_("Claim"), "claim", "claim"),
    PageColumn(N_("Contract"), "contract", "contract"),
    PageColumn(N_("Guarantee"), "guarantee", "code"),
    PageColumn(N_("Status"), "status", "status"),
    PageColumn(N_("Incident"), "incident_on", "day"),
    PageColumn(N_("Loss"), "loss_cents", "amount", is_spare=True),
    PageColumn(N_("Approved"), "approved_cents", "amount"),
    PageColumn(N_("Refunded"), "refunded_cents", "amount"),
)
CLAIMS_OF_A_CONTRACT = tuple(column for column in CLAIMS if column.field != "contract")
COMPLAINTS = (
    PageColumn(N_("Complaint"), "complaint", "complaint"),
    PageColumn(N_("Contract"), "contract", "contract"),
    PageColumn(N_("About claim"), "claim", "claim"),
    PageColumn(N_("Status"), "status", "status"),
    PageColumn(N_("Received"), "received_on", "day"),
)
COMPLAINTS_OF_A_CONTRACT = tuple(column for column in COMPLAINTS if column.field != "contract")
DUE = (
    PageColumn(N_("Due"), "due_on", "day"),
    PageColumn(N_("What"), "kind", "code"),
    PageColumn(N_("On"), "subject", "subject"),
    PageColumn(N_("Status"), "status", "status"),
    PageColumn(N_("Warn from"), "alert_on", "day"),
    PageColumn(N_("Met"), "met_on", "day"),
    PageColumn(N_("Rule"), "rule", "text", is_spare=True),
    PageColumn(N_("Raw date"), "raw_due_on", "day", is_spare=True),
)
DUE_SHORT = (
    PageColumn(N_("Due"), "due_on", "day"),
    PageColumn(N_("What"), "kind", "code"),
    PageColumn(N_("On"), "subject", "subject"),
    PageColumn(N_("Warn from"), "alert_on", "day", is_spare=True),
    PageColumn(N_("Rule"), "rule", "text", is_spare=True),
)
DUE_OF_A_CONTRACT = tuple(column for column in DUE if column.field not in {"alert_on", "raw_due_on"})
DUE_OF_A_CLAIM = tuple(column for column in DUE if column.field in {"due_on", "kind", "status", "met_on"})
LIMITS = (
    PageColumn(N_("Contract"), "contract", "contract"),
    PageColumn(N_("Guarantee"), "guarantee", "code"),
    PageColumn(N_("Year"), "insurance_year", "number"),
    PageColumn(N_("Amount left"), "amount_remaining_cents", "amount"),
    PageColumn(N_("of"), "amount_limit_cents", "amount", is_spare=True),
    PageColumn(N_("Claims left"), "count_remaining", "number"),
    PageColumn(N_("of"), "count_limit", "number", is_spare=True),
)
EVENTS = (
    PageColumn(N_("Position"), "position", "number"),
    PageColumn(N_("Event"), "type", "event"),
    PageColumn(N_("On"), "stream", "subject"),
    PageColumn(N_("Counts from"), "effective_on", "day"),
    PageColumn(N_("Recorded"), "recorded_at", "instant"),
    PageColumn(N_("By"), "actor", "text"),
)
DOCUMENTS = (
    PageColumn(N_("Document"), "kind", "code"),
    PageColumn(N_("Language"), "language", "code"),
    PageColumn(N_("Version"), "version", "text"),
    PageColumn("SHA-256", "sha256", "hash"),
)
PERSONS = (
    PageColumn(N_("Person"), "person", "text"),
    PageColumn(N_("Name"), "name", "text"),
    PageColumn(N_("E-mail"), "email", "text"),
    PageColumn(N_("Address"), "address", "text"),
)

TABLES: Mapping[str, Sequence[PageColumn]] = {
    "contracts": CONTRACTS,
    "claims": CLAIMS,
    "claims_of_a_contract": CLAIMS_OF_A_CONTRACT,
    "complaints": COMPLAINTS,
    "complaints_of_a_contract": COMPLAINTS_OF_A_CONTRACT,
    "due": DUE,
    "due_short": DUE_SHORT,
    "due_of_contract": DUE_OF_A_CONTRACT,
    "due_of_claim": DUE_OF_A_CLAIM,
    "limits": LIMITS,
    "events": EVENTS,
    "documents": DOCUMENTS,
    "persons": PERSONS,
}


_CLAIM: Final = (
    PageColumn(N_("Claim"), "claim", "claim"),
    PageColumn(N_("Contract"), "contract", "contract"),
    PageColumn(N_("Guarantee"), "guarantee", "code"),
)
_EVENT: Final = PageColumn(N_("Made by event"), "position", "position")

REPORT_COLUMNS: Final[Mapping[str, Sequence[PageColumn]]] = {
    "bordereau": (
        *_CLAIM,
        PageColumn(N_("Status"), "status", "status"),
        PageColumn(N_("Incident"), "incident_on", "day"),
        PageColumn(N_("Approved"), "approved_cents", "amount"),
        PageColumn(N_("Paid"), "paid_cents", "amount"),
        PageColumn(N_("Paid before"), "paid_before_cents", "amount"),
        PageColumn(N_("Outstanding"), "outstanding_cents", "amount"),
        _EVENT,
    ),
    "refunds": (
        *_CLAIM,
        PageColumn(N_("Status"), "status", "status"),
        PageColumn(N_("Submitted"), "submitted_on", "day"),
        PageColumn(N_("Due"), "due_on", "day"),
        PageColumn(N_("Settled"), "settled_on", "day"),
        PageColumn(N_("Days taken"), "days_taken", "number"),
        PageColumn(N_("Approved"), "approved_cents", "amount"),
        PageColumn(N_("Owed"), "owed_cents", "amount"),
        _EVENT,
    ),
    "payments": (
        *_CLAIM,
        PageColumn(N_("What"), "kind", "code"),
        PageColumn(N_("On"), "moved_on", "day"),
        PageColumn(N_("Paid"), "paid_cents", "amount"),
        PageColumn(N_("Received"), "received_cents", "amount"),
        PageColumn(N_("Reference"), "payment_reference", "text"),
        _EVENT,
    ),
    "recoveries": (
        *_CLAIM,
        PageColumn(N_("Status"), "status", "status"),
        PageColumn(N_("Approved"), "approved_cents", "amount"),
        PageColumn(N_("Reserved"), "reserved_cents", "amount"),
        PageColumn(N_("Refunded"), "refunded_cents", "amount"),
        PageColumn(N_("Recovered"), "recovered_cents", "amount"),
        PageColumn(N_("Net"), "net_cents", "amount"),
        _EVENT,
    ),
    "guarantees": (
        PageColumn(N_("Year"), "incident_year", "text"),
        PageColumn(N_("Guarantee"), "guarantee", "code"),
        PageColumn(N_("Opened"), "claims_opened", "number"),
        PageColumn(N_("Counted"), "claims_counted", "number"),
        PageColumn(N_("Rejected"), "claims_rejected", "number"),
        PageColumn(N_("Approved"), "approved_cents", "amount"),
        PageColumn(N_("Refunded"), "refunded_cents", "amount"),
        PageColumn(N_("Net"), "net_cents", "amount"),
        PageColumn(N_("Days of cover"), "exposed_days", "number"),
        PageColumn(N_("Incurred a year of cover"), "incurred_cents_per_year", "amount"),
    ),
    "timeline": (
        *_CLAIM,
        PageColumn(N_("Step"), "step", "code"),
        PageColumn(N_("Event"), "event", "claim_event"),
        PageColumn(N_("Counts from"), "effective_on", "day"),
        PageColumn(N_("Days since notice"), "days_since_notice", "number"),
        PageColumn(N_("Amount"), "amount_cents", "amount"),
        _EVENT,
    ),
}
