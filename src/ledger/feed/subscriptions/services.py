"""What `up` runs for subscribers outside (group `claims_ledger.services`)."""

import asyncio
from threading import Event as StopEvent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.wiring import Wiring


def deliver_webhooks(wiring: "Wiring", stop: StopEvent) -> None:
    """Deliver to the book's webhooks until `stop` is set."""
    from ledger.feed.subscriptions.webhooks import Terms, Webhooks  # noqa: PLC0415  # brings aiohttp

    terms = Terms(allow_private=wiring.settings.webhooks_private)
    webhooks = Webhooks(wiring.pool, wiring.webhook_secrets, wiring.book, terms)
    asyncio.run(webhooks.deliver(stop.is_set))
