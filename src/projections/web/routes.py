"""The site as the HTTP application takes it: every page on one router."""

from fastapi import APIRouter

from ledger.app import App
from projections.web.pages.cancellation import Cancellation
from projections.web.pages.claim import register_claim, register_complaint
from projections.web.pages.commands import register_commands
from projections.web.pages.contract import register_contract
from projections.web.pages.due import register_due, register_letters, register_today
from projections.web.pages.feed import register_feed, register_subscriptions
from projections.web.pages.lists import register_find, register_lists, register_persons
from projections.web.pages.replay import register_replay
from projections.web.pages.reports import register_report, register_reports
from projections.web.pages.verify import Verify
from projections.web.renderer import register_static
from projections.web.responses import Pages

PAGES = (
    register_today,
    register_find,
    register_commands,
    register_lists,
    register_persons,
    register_replay,
    register_contract,
    register_claim,
    register_complaint,
    register_due,
    register_letters,
    register_reports,
    register_report,
    register_feed,
    register_subscriptions,
)
"""In this order: an address such as `/claims/new` goes before those of numbers."""


def routes(wiring: App) -> APIRouter:
    """Return the pages of a book."""
    router = APIRouter(include_in_schema=False)
    register_static(router)
    pages = Pages(wiring, router)
    for register in PAGES:
        register(pages)
    Verify(wiring).register(pages)
    Cancellation(wiring).register(pages)
    return router
