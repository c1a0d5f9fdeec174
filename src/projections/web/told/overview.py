"""The figures of the reports' first page: consumption, claims by guarantee, refunds against the promise."""

from typing import Final

from projections.asking.reader import Reader
from projections.web import figures

VIEWS_OF_OVERVIEW: Final = ("claims", "due")


def overview(reader: Reader) -> dict[str, object]:
    """Give the figures as of the reader's time."""
    promised = figures.promised_days()
    return {
        "consumed_by_month": figures.consumed_by_month(reader),
        "claims_by_guarantee": figures.claims_by_guarantee(reader),
        "refunds_by_days": figures.refunds_by_days(reader, promised),
        "refunds_waiting": dict(figures.refunds_waiting(reader)),
        "refund_days": promised,
    }
