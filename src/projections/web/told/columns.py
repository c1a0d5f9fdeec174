"""Which columns a table shows, and how each is written."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from projections.web.words.codes import N_


class Column(NamedTuple):
    """One column: its heading, the field of the row, and how it is written."""

    heading: str
    field: str
    look: str = "text"
    """`contract`, `claim`, `complaint`, `subject`: a link; `status`, `code`, `event`, `day`, `instant`,
    `amount`, `number`, `hash`, `text`."""
    is_spare: bool = False
    """Whether a narrow window leaves it out."""


CONTRACTS = (
    Column(N_("Contract"), "contract", "contract"),
    Column(N_("Status"), "status", "status"),
    Column(N_("Starts"), "starts_on", "day"),
    Column(N_("Ends"), "ends_on", "day"),
    Column(N_("Year"), "term", "number"),
    Column(N_("Notice from"), "notice_gate_on", "day", is_spare=True),
    Column(N_("Policyholder"), "policyholder", "text", is_spare=True),
)
CLAIMS = (
    Column(N_("Claim"), "claim", "claim"),
    Column(N_("Contract"), "contract", "contract"),
    Column(N_("Guarantee"), "guarantee", "code"),
    Column(N_("Status"), "status", "status"),
    Column(N_("Incident"), "incident_on", "day"),
    Column(N_("Loss"), "loss_cents", "amount", is_spare=True),
    Column(N_("Approved"), "approved_cents", "amount"),
    Column(N_("Refunded"), "refunded_cents", "amount"),
)
CLAIMS_OF_A_CONTRACT = tuple(column for column in CLAIMS if column.field != "contract")
COMPLAINTS = (
    Column(N_("Complaint"), "complaint", "complaint"),
    Column(N_("Contract"), "contract", "contract"),
    Column(N_("About claim"), "claim", "claim"),
    Column(N_("Status"), "status", "status"),
    Column(N_("Received"), "received_on", "day"),
)
COMPLAINTS_OF_A_CONTRACT = tuple(column for column in COMPLAINTS if column.field != "contract")
DUE = (
    Column(N_("Due"), "due_on", "day"),
    Column(N_("What"), "kind", "code"),
    Column(N_("On"), "subject", "subject"),
    Column(N_("Status"), "status", "status"),
    Column(N_("Warn from"), "alert_on", "day"),
    Column(N_("Met"), "met_on", "day"),
    Column(N_("Rule"), "rule", "text", is_spare=True),
    Column(N_("Raw date"), "raw_due_on", "day", is_spare=True),
)
DUE_SHORT = (
    Column(N_("Due"), "due_on", "day"),
    Column(N_("What"), "kind", "code"),
    Column(N_("On"), "subject", "subject"),
    Column(N_("Warn from"), "alert_on", "day", is_spare=True),
    Column(N_("Rule"), "rule", "text", is_spare=True),
)
DUE_OF_A_CONTRACT = tuple(column for column in DUE if column.field not in {"alert_on", "raw_due_on"})
DUE_OF_A_CLAIM = tuple(column for column in DUE if column.field in {"due_on", "kind", "status", "met_on"})
LIMITS = (
    Column(N_("Contract"), "contract", "contract"),
    Column(N_("Guarantee"), "guarantee", "code"),
    Column(N_("Year"), "insurance_year", "number"),
    Column(N_("Amount left"), "amount_remaining_cents", "amount"),
    Column(N_("of"), "amount_limit_cents", "amount", is_spare=True),
    Column(N_("Claims left"), "count_remaining", "number"),
    Column(N_("of"), "count_limit", "number", is_spare=True),
)
EVENTS = (
    Column(N_("Position"), "position", "number"),
    Column(N_("Event"), "type", "event"),
    Column(N_("On"), "stream", "subject"),
    Column(N_("Counts from"), "effective_on", "day"),
    Column(N_("Recorded"), "recorded_at", "instant"),
    Column(N_("By"), "actor", "text"),
)
DOCUMENTS = (
    Column(N_("Document"), "kind", "code"),
    Column(N_("Language"), "language", "code"),
    Column(N_("Version"), "version", "text"),
    Column("SHA-256", "sha256", "hash"),
)
PERSONS = (
    Column(N_("Person"), "person", "text"),
    Column(N_("Name"), "name", "text"),
    Column(N_("E-mail"), "email", "text"),
    Column(N_("Address"), "address", "text"),
)

TABLES: Mapping[str, Sequence[Column]] = {
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
