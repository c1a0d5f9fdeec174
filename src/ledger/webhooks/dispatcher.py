"""Delivers to all subscribers of one book: a worker for each that is active and nobody else's now.

`deliver` is what `up` runs.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event as StopEvent
from time import monotonic
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import structlog
from aiohttp.abc import AbstractResolver

from ledger.clock import machine_now
from ledger.feed.followers import GapFound
from ledger.store.feed import feed_end
from ledger.store.pool import Pool
from ledger.store.retry import is_transient
from ledger.store.subscriptions import Lease, Subscription, WebhookSecrets, subscriptions
from ledger.supervision import halts, moved, told_of
from ledger.webhooks.delivery_repository import DeliveryRepository
from ledger.webhooks.delivery_worker import LEASE_SECONDS, LOOK_SECONDS, PARALLEL, DeliveryWorker
from ledger.webhooks.endpoints import webhook_url
from ledger.webhooks.retry import RateLimiter
from ledger.webhooks.sender import TRY_SECONDS, Sender

if TYPE_CHECKING:
    from ledger.app import App

TAIL_SECONDS: Final = 0.05
"""Between two looks at the feed's end."""
NEWS_SECONDS: Final = 1.0
"""Between two looks at which subscriptions there are."""
AGAIN_SECONDS: Final = 5.0
"""Before a worker that could not go on is sent out again."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DispatchSettings:
    """How subscribers are delivered to; tests and benchmarks have other ones than the day's work."""

    nats_servers: Sequence[str] = ()
    """Of the cluster that relays publish to."""
    allow_private: bool = False
    """Plain http and private addresses are good too: for development."""
    now: Callable[[], datetime] = machine_now
    """The clock of tries and retries."""
    lease_seconds: float = LEASE_SECONDS
    try_seconds: float = TRY_SECONDS
    look_seconds: float = LOOK_SECONDS
    """Between two looks at what is due."""
    resolver: AbstractResolver | None = None
    """In place of the system's."""


class Dispatcher:
    """All webhooks and relays of one book."""

    def __init__(
        self, pool: Pool, secrets: WebhookSecrets, book: str, settings: DispatchSettings | None = None
    ) -> None:
        """`pool` connects as the application."""
        self._pool = pool
        self._secrets = secrets
        self._book = book
        self._settings = settings or DispatchSettings()
        self._program = uuid4()
        self._end = -1
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._not_before: dict[str, float] = {}
        self._well_from: dict[str, float] = {}
        self._paces: dict[str, RateLimiter] = {}

    async def deliver(self, stopped: Callable[[], bool]) -> None:
        """Deliver until `stopped`. Raises what the database says, unless it passes by itself."""
        looked_at = float("-inf")
        try:
            while not stopped():
                try:
                    self._end = await asyncio.to_thread(self._feed_end)
                    if monotonic() - looked_at >= NEWS_SECONDS:
                        self._send_out(await asyncio.to_thread(self._active), stopped)
                        looked_at = monotonic()
                except Exception as error:
                    if not is_transient(error):
                        raise
                    # What is in flight goes on, so that it need not be sent again.
                    halts("feed", error)
                    _log.warning("subscriptions_delayed", book=self._book, error=told_of(error))
                    await asyncio.sleep(NEWS_SECONDS)
                else:
                    halts("feed", None)
                moved()
                await asyncio.sleep(TAIL_SECONDS)
        finally:
            if not stopped():
                # Something broke: whoever delivers ends with it; what that cuts off is sent again.
                for worker in self._workers.values():
                    worker.cancel()
            await asyncio.gather(*self._workers.values(), return_exceptions=True)

    def _send_out(self, active: list[Subscription], stopped: Callable[[], bool]) -> None:
        """Look after the workers that came back, and send out those that are missing."""
        for name, worker in list(self._workers.items()):
            if worker.done():
                del self._workers[name]
                self._tell(name, worker.exception())
            elif monotonic() >= self._well_from[name]:
                halts(f"subscription {name}", None)
        for found in active:
            if found.name not in self._workers and monotonic() >= self._not_before.get(found.name, 0.0):
                deliver = self._relay if found.kind == "nats" else self._deliver
                delivering = deliver(found.name, stopped)
                self._well_from[found.name] = monotonic() + AGAIN_SECONDS
                self._workers[found.name] = asyncio.create_task(delivering, name=found.name)

    def _tell(self, name: str, error: BaseException | None) -> None:
        halts(f"subscription {name}", error if isinstance(error, Exception) else None)
        if error is None:
            return
        self._not_before[name] = monotonic() + AGAIN_SECONDS
        if isinstance(error, GapFound):
            _log.error("subscription_halted", book=self._book, subscription=name, error=str(error))
        else:
            _log.warning(
                "subscription_delayed",
                book=self._book,
                subscription=name,
                error=told_of(error),
            )

    async def _relay(self, name: str, stopped: Callable[[], bool]) -> None:
        from ledger.webhooks.nats import Relay  # noqa: PLC0415  # extra `nats`

        lease = Lease(self._book, name, self._program, self._settings.lease_seconds)
        repository = DeliveryRepository(self._pool, self._secrets, lease)
        relay = Relay(repository, lease, self._settings.nats_servers, feed_end=lambda: self._end)
        await relay.deliver(stopped)

    async def _deliver(self, name: str, stopped: Callable[[], bool]) -> None:
        lease = Lease(self._book, name, self._program, self._settings.lease_seconds)
        worker = DeliveryWorker(
            DeliveryRepository(self._pool, self._secrets, lease),
            lease,
            self._sender,
            pace_of=self._pace,
            now=self._settings.now,
            look_seconds=self._settings.look_seconds,
            feed_end=lambda: self._end,
        )
        await worker.deliver(stopped)

    def _sender(self, found: Subscription) -> Sender:
        url = webhook_url(found.target or "", allow_private=self._settings.allow_private)
        return Sender(
            url,
            connections=PARALLEL,
            allow_private=self._settings.allow_private,
            try_seconds=self._settings.try_seconds,
            resolver=self._settings.resolver,
        )

    def _pace(self, found: Subscription) -> RateLimiter:
        """Return the pace of a receiver, the same to all subscriptions that lead to it."""
        pace = self._paces.setdefault(found.target or "", RateLimiter(PARALLEL))
        pace.hold(found.waits_until)
        return pace

    def _feed_end(self) -> int:
        with self._pool.connection() as connection:
            return feed_end(connection, self._book)

    def _active(self) -> list[Subscription]:
        with self._pool.connection() as connection:
            found = subscriptions(connection, self._book)
        return [one for one in found if one.kind != "pull" and one.state == "active"]


def deliver(wiring: "App", stop: StopEvent) -> None:
    """Deliver to the book's webhooks and relays until `stop` is set."""
    settings = wiring.settings
    terms = DispatchSettings(
        nats_servers=settings.nats_servers, allow_private=settings.webhooks_allow_private
    )
    dispatch = Dispatcher(wiring.pool, wiring.webhook_secrets, wiring.book, terms)
    asyncio.run(dispatch.deliver(stop.is_set))
