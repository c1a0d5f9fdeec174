"""What a person sees of each report."""

from projections.commands.tables import Column, amount, instant, number, plain, text, words
from projections.commands.tables import status as status_column

REFUND_COLUMNS: tuple[Column, ...] = (
    plain("claim", "claim"),
    plain("contract", "contract").spared(4),
    words("guarantee", "guarantee").spared(5),
    status_column("status", "status"),
    plain("submitted", "submitted_on"),
    plain("due", "due_on").spared(2),
    plain("settled", "settled_on").spared(1),
    number("days taken", "days_taken"),
    number("of", "days_allowed").spared(3),
    amount("approved", "approved_cents"),
    amount("refunded", "refunded_cents").spared(6),
    amount("owed", "owed_cents"),
)
PAYMENT_COLUMNS: tuple[Column, ...] = (
    plain("claim", "claim"),
    plain("contract", "contract").spared(2),
    words("guarantee", "guarantee").spared(3),
    words("what", "kind"),
    plain("on", "moved_on"),
    amount("paid", "paid_cents"),
    amount("received", "received_cents"),
    plain("reference", "payment_reference").spared(1),
    plain("payer", "payer").spared(1),
)
RECOVERY_COLUMNS: tuple[Column, ...] = (
    plain("claim", "claim"),
    plain("contract", "contract").spared(3),
    words("guarantee", "guarantee").spared(4),
    status_column("status", "status"),
    amount("approved", "approved_cents"),
    amount("reserved", "reserved_cents").spared(5),
    amount("refunded", "refunded_cents"),
    amount("owed", "owed_cents").spared(1),
    amount("recovered", "recovered_cents"),
    amount("net", "net_cents"),
    amount("incurred", "incurred_cents").spared(2),
)
GUARANTEE_COLUMNS: tuple[Column, ...] = (
    number("year", "incident_year"),
    words("guarantee", "guarantee"),
    number("claims", "claims_opened"),
    number("counted", "claims_counted"),
    number("rejected", "claims_rejected").spared(3),
    amount("reserved", "reserved_cents").spared(4),
    amount("approved", "approved_cents").spared(2),
    amount("refunded", "refunded_cents"),
    amount("recovered", "recovered_cents").spared(1),
    amount("net", "net_cents"),
    number("days of cover", "exposed_days").spared(5),
    amount("net a year of cover", "net_cents_per_year"),
)
TIMELINE_COLUMNS: tuple[Column, ...] = (
    plain("claim", "claim"),
    plain("step", "step"),
    plain("event", "event"),
    plain("effective", "effective_on"),
    number("day", "days_since_notice"),
    amount("amount", "amount_cents").spared(1),
    text("said", "said").spared(2),
    plain("actor", "actor").spared(4),
    instant("at (Brussels)", "at").spared(3),
)
BORDEREAU_COLUMNS: tuple[Column, ...] = (
    plain("claim", "claim"),
    plain("contract", "contract").spared(2),
    words("guarantee", "guarantee").spared(3),
    status_column("status", "status"),
    plain("incident", "incident_on").spared(4),
    amount("approved", "approved_cents").spared(1),
    amount("paid in the month", "paid_cents"),
    amount("paid before", "paid_before_cents"),
    amount("recovered", "recovered_cents").spared(5),
    amount("outstanding", "outstanding_cents"),
)
