"""Reports: consumption over time, refunds against the promised days, claims by guarantee."""

from projections.web.asked import looking
from projections.web.figures import promised_days
from projections.web.page import Look, page_of_look
from projections.web.pages.report import TITLES
from projections.web.serving import TIME, Pages, Shown
from projections.web.told.overview import VIEWS_OF_OVERVIEW, overview
from projections.web.told.reports import consumption, guarantees, refunds


def register(pages: Pages) -> None:
    """Register the page."""
    pages.page("/reports", show, twin, takes=TIME)


def twin(look: Look) -> object:
    """Give what `report overview` prints."""
    with looking(look.wiring, VIEWS_OF_OVERVIEW, look.asked) as reader:
        return overview(reader)


def show(look: Look) -> Shown:
    """Show the plots and their tables."""
    with looking(look.wiring, VIEWS_OF_OVERVIEW, look.asked) as reader:
        figures = overview(reader)
        position = reader.position
    return Shown(
        "reports.html",
        {
            "page": page_of_look(look, "reports", position=position),
            "titles": TITLES,
            "promised": promised_days(),
            "consumption": consumption(figures["consumed_by_month"], look.words),  # type: ignore[arg-type]  # rows, as put in above
            "refunds": refunds(figures["refunds_by_days"], promised_days(), look.words),  # type: ignore[arg-type]  # as above
            "waiting": figures["refunds_waiting"],
            "guarantees": guarantees(figures["claims_by_guarantee"], look.words),  # type: ignore[arg-type]  # as above
        },
    )
