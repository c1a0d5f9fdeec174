"""Today: what is due, what is late, limits nearly used, and how far the ledger's views and heads are."""

from projections.web.asked import looking, today_of
from projections.web.cancellation.requests import requests
from projections.web.page import Look, page_of_look
from projections.web.serving import TIME, Pages, Shown
from projections.web.told.standing import VIEWS_OF_TODAY, standing


def register(pages: Pages) -> None:
    """Register the page."""
    pages.page("/", show, twin, takes=(*TIME, "sign_in"))


def twin(look: Look) -> object:
    """Give what `coverledger today --json` prints."""
    with looking(look.wiring, VIEWS_OF_TODAY, look.asked) as reader:
        return standing(reader, today_of(look.wiring))


def show(look: Look) -> Shown:
    """Show it."""
    with looking(look.wiring, VIEWS_OF_TODAY, look.asked) as reader:
        told = standing(reader, today_of(look.wiring))
        position = reader.position
        waiting = requests(reader.connection, reader.book, state="waiting")
    values = {
        "page": page_of_look(look, "today", position=position),
        "told": told,
        "waiting": waiting,
        "unwell": look.wiring.states.unwell() if look.visitor.may_command else [],
    }
    return Shown("today.html", values)
