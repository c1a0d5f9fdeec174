"""The figures of the reports' first page: consumption, claims by guarantee, refunds against the promise."""

from typing import Final

from ledger.domain.terms import load_terms
from projections.asking.reader import Reader
from projections.web.queries import (
    CLAIMS,
    DUE,
    claims_by_guarantee,
    consumed_by_month,
    refunds_by_days,
    refunds_waiting,
)
from projections.web.remembering import remembered

VIEWS_OF_OVERVIEW: Final = ("claims", "due")
PRODUCT: Final = "cyber-care"


def overview(reader: Reader) -> dict[str, object]:
    """Give the figures as of the reader's time."""
    claims, due = reader.source(CLAIMS), reader.source(DUE)
    promised = promised_days()
    connection = reader.connection
    return {
        "consumed_by_month": remembered(
            reader, CLAIMS, "by month", lambda: consumed_by_month(connection, claims)
        ),
        "claims_by_guarantee": remembered(
            reader, CLAIMS, "by guarantee", lambda: claims_by_guarantee(connection, claims)
        ),
        "refunds_by_days": remembered(
            reader, DUE, ("by days", promised), lambda: refunds_by_days(connection, due, promised)
        ),
        "refunds_waiting": remembered(
            reader, DUE, "refunds waiting", lambda: dict(refunds_waiting(connection, due))
        ),
        "refund_days": promised,
    }


def promised_days() -> int:
    """Give the days within which a refund is promised, by the newest terms (R7)."""
    return load_terms(PRODUCT).periods.refund_days
