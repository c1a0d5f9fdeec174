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

VIEWS_OF_OVERVIEW: Final = ("claims", "due")
PRODUCT: Final = "cyber-care"


def overview(reader: Reader) -> dict[str, object]:
    """Give the figures as of the reader's time."""
    claims, due = reader.source(CLAIMS), reader.source(DUE)
    promised = promised_days()
    return {
        "consumed_by_month": consumed_by_month(reader.connection, claims),
        "claims_by_guarantee": claims_by_guarantee(reader.connection, claims),
        "refunds_by_days": refunds_by_days(reader.connection, due, promised),
        "refunds_waiting": dict(refunds_waiting(reader.connection, due)),
        "refund_days": promised,
    }


def promised_days() -> int:
    """Give the days within which a refund is promised, by the newest terms (R7)."""
    return load_terms(PRODUCT).periods.refund_days
