"""The site as the HTTP application takes it: every page on one router (group `coverledger.routes`)."""

from fastapi import APIRouter

from ledger.app import App
from projections.web.pages import (
    claim,
    commands,
    complaint,
    contract,
    due,
    feed,
    find,
    letters,
    lists,
    persons,
    replay,
    report,
    reports,
    shipped,
    subscriptions,
    today,
)
from projections.web.pages.cancellation import Cancellation
from projections.web.pages.verify import Verify
from projections.web.serving import Pages

PAGES = (
    today,
    find,
    commands,
    lists,
    persons,
    replay,
    contract,
    claim,
    complaint,
    due,
    letters,
    reports,
    report,
    feed,
    subscriptions,
)
"""In this order: an address such as `/claims/new` goes before those of numbers."""


def routes(wiring: App) -> APIRouter:
    """Give the pages of a book."""
    router = APIRouter(include_in_schema=False)
    shipped.register(router)
    pages = Pages(wiring, router)
    for module in PAGES:
        module.register(pages)
    Verify(wiring).register(pages)
    Cancellation(wiring).register(pages)
    return router
