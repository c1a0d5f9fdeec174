"""Reports: consumption over time, refunds against the promised days, claims by guarantee."""

from typing import Final

from ledger.domain.terms import load_terms
from projections.asking.reader import Reader
from projections.web.asked import looking
from projections.web.page import Look, page_of_look
from projections.web.pages.report import TITLES
from projections.web.queries import (
    CLAIMS,
    DUE,
    claims_by_guarantee,
    consumed_by_month,
    refunds_by_days,
    refunds_waiting,
)
from projections.web.serving import Pages, Shown
from projections.web.told.reports import consumption, guarantees, refunds

VIEWS: Final = ("claims", "due")
PRODUCT: Final = "cyber-care"


def register(pages: Pages) -> None:
    """Register the page."""
    pages.page("/reports", show, twin)


def _figures(reader: Reader, promised: int) -> dict[str, object]:
    claims, due = reader.source(CLAIMS), reader.source(DUE)
    return {
        "consumed_by_month": consumed_by_month(reader.connection, claims),
        "claims_by_guarantee": claims_by_guarantee(reader.connection, claims),
        "refunds_by_days": refunds_by_days(reader.connection, due, promised),
        "refunds_waiting": dict(refunds_waiting(reader.connection, due)),
        "refund_days": promised,
    }


def twin(look: Look) -> object:
    """Give the figures of the page."""
    with looking(look.wiring, VIEWS, look.asked) as reader:
        return _figures(reader, _promised())


def show(look: Look) -> Shown:
    """Show the plots and their tables."""
    with looking(look.wiring, VIEWS, look.asked) as reader:
        figures = _figures(reader, _promised())
        position = reader.position
    return Shown(
        "reports.html",
        {
            "page": page_of_look(look, "reports", position=position),
            "titles": TITLES,
            "promised": _promised(),
            "consumption": consumption(figures["consumed_by_month"], look.words),  # type: ignore[arg-type]  # rows, as put in above
            "refunds": refunds(figures["refunds_by_days"], _promised(), look.words),  # type: ignore[arg-type]  # as above
            "waiting": figures["refunds_waiting"],
            "guarantees": guarantees(figures["claims_by_guarantee"], look.words),  # type: ignore[arg-type]  # as above
        },
    )


def _promised() -> int:
    """Give the days within which a refund is promised, by the newest terms (R7)."""
    return load_terms(PRODUCT, None).periods.refund_days
