"""What `up` runs for subscribers outside (group `coverledger.services`)."""

import asyncio
from threading import Event as StopEvent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.app import App


def deliver(wiring: "App", stop: StopEvent) -> None:
    """Deliver to the book's webhooks and relays until `stop` is set."""
    from ledger.feed.subscriptions.dispatch import Dispatch, Terms  # noqa: PLC0415  # brings aiohttp

    settings = wiring.settings
    terms = Terms(nats_servers=settings.nats_servers, allow_private=settings.webhooks_allow_private)
    dispatch = Dispatch(wiring.pool, wiring.webhook_secrets, wiring.book, terms)
    asyncio.run(dispatch.deliver(stop.is_set))
