"""Delivers one webhook's events, as long as it holds the subscription's lease."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import Final
from uuid import UUID

from ledger.feed.publish import cloud_event_json, epoch_of
from ledger.feed.reader import FeedEvent
from ledger.store.subscriptions import Lease, Subscription
from ledger.webhooks.delivery_repository import DeliveryConditions, DeliveryRepository
from ledger.webhooks.endpoints import AddressRefused, signed_headers
from ledger.webhooks.ordered_queue import OrderedQueue
from ledger.webhooks.retry import DeliveryResult, RateLimiter
from ledger.webhooks.sender import Sender

PARALLEL: Final = 16
"""Deliveries of one webhook at once, each of another contract."""
WINDOW_EVENTS: Final = 1_000
"""Read and not yet settled, at most."""
BATCH_POSITIONS: Final = 500
PROBED_POSITIONS: Final = 16
"""Looked through for an event to probe a receiver with that is away."""
TICK_SECONDS: Final = 0.02
NOTE_SECONDS: Final = 0.25
"""Between two checkpoints while there is something to note."""
LOOK_SECONDS: Final = 1.0
"""Between two looks at what is due and what others have changed."""
LEASE_SECONDS: Final = 15.0
RENEW_SHARE: Final = 1 / 3
"""Of a lease, after which it is renewed though there is nothing to note."""
SAFE_SHARE: Final = 2 / 3
"""Of a lease, within which a delivery may begin: nobody else delivers before it runs out."""
LANDING_SECONDS: Final = 4.0
"""Given to what is in flight when the program ends; what it cuts off is sent again."""


class LeaseLost(Exception):
    """Another program delivers now, or the database was away for too long to be sure that none does."""


class DeliveryWorker:
    """One webhook at work. All its coroutines run on one loop, so that nothing needs a lock."""

    def __init__(  # noqa: PLR0913 # a worker has so many parts
        self,
        repository: DeliveryRepository,
        lease: Lease,
        make_sender: Callable[[Subscription], Sender],
        *,
        pace_of: Callable[[Subscription], RateLimiter],
        now: Callable[[], datetime],
        feed_end: Callable[[], int],
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """`pace_of`: the pace of a subscription's receiver, which others may share.

        `now`: clock of tries and retries. `feed_end`: position of the last sealed event, as last seen.
        """
        self._repository = repository
        self._lease = lease
        self._make_sender = make_sender
        self._pace_of = pace_of
        self._pace = RateLimiter(PARALLEL)
        self._waits_until: datetime | None = None
        self._now = now
        self._feed_end = feed_end
        self._look_seconds = look_seconds
        self._queue = OrderedQueue(-1, ())
        self._work = asyncio.Event()
        self._types: Sequence[str] | None = None
        self._type_prefix = ""
        self._noted = -1
        self._look = DeliveryConditions(is_active=True, secrets=(), due=(), waiting=0, epochs=())
        self._looked_at = self._noted_at = self._renewed_at = float("-inf")

    async def deliver(self, stopped: Callable[[], bool]) -> None:
        """Deliver until `stopped`, or until the subscription is not active or another's.

        Raises GapFound, LeaseLost, and what the database says.
        """
        self._renewed_at = monotonic()
        begun = await asyncio.to_thread(self._repository.begin)
        if begun is None:
            return
        found = begun.subscription
        self._types, self._type_prefix = found.types, begun.type_prefix
        self._queue = OrderedQueue(found.position, begun.kept, found.told)
        self._pace, self._waits_until = self._pace_of(found), found.waits_until
        try:
            await self._deliver_to(found, stopped)
            await self._note()
        finally:
            await asyncio.to_thread(self._repository.release)

    async def _deliver_to(self, found: Subscription, stopped: Callable[[], bool]) -> None:
        try:
            sender = self._make_sender(found)
        except AddressRefused as error:
            # It was allowed when it was given; whoever forbade it since is told in the subscription's state.
            self._queue.end(str(error))
            return
        async with sender:
            await self._deliver(sender, stopped)

    async def _deliver(self, sender: Sender, stopped: Callable[[], bool]) -> None:
        await self._look_again()
        flights = [asyncio.create_task(self._fly(sender)) for _ in range(PARALLEL)]
        try:
            while not stopped() and await self._round(flights):  # noqa: ASYNC110 # a thread stops it
                await asyncio.sleep(TICK_SECONDS)
            await self._land()
        finally:
            for flight in flights:
                flight.cancel()
            await asyncio.gather(*flights, return_exceptions=True)

    async def _round(self, flights: Sequence["asyncio.Task[None]"]) -> bool:
        """Read on, recall what is due, note what has come about; False when it is over."""
        for flight in flights:
            if flight.done():
                flight.result()
        if monotonic() - self._looked_at >= self._look_seconds:
            await self._look_again()
        await self._read_on()
        if self._may_fly(self._now()):
            self._work.set()
        if monotonic() - self._noted_at >= NOTE_SECONDS:
            await self._note()
        return self._look.is_active

    async def _read_on(self) -> None:
        """Read events as far as there are any, and room for them."""
        queue, after = self._queue, self._queue.position
        wanted = min(WINDOW_EVENTS - queue.open_events, BATCH_POSITIONS)
        probing = queue.outage.is_on
        if probing:
            # What the receiver could not take anyway stays in the feed; one event tells whether it is back.
            wanted = 0 if queue.open_events or not queue.outage.may_probe(self._now()) else PROBED_POSITIONS
        if wanted <= 0 or self._feed_end() <= after:
            return
        batch = await asyncio.to_thread(self._repository.read, after, wanted, self._types)
        now = self._now()
        for event in batch.events:
            if queue.offer(event, now) and probing:
                return
        queue.pass_over(batch.last)
        if probing:
            queue.outage.put_off(now)

    async def _look_again(self) -> None:
        """See what is due, which secrets sign, and whether it is to go on at all."""
        self._look = await asyncio.to_thread(self._repository.look, self._now())
        self._looked_at = monotonic()
        self._queue.outage.waiting = self._look.waiting
        self._heed(self._look.waits_until)
        for contract in self._look.due:
            await self._recall(contract)

    def _heed(self, waits_until: datetime | None) -> None:
        """Heed the pause on record, also of others; where there is none any more it was lifted."""
        if waits_until is None and self._waits_until is not None:
            self._pace.free()
        self._pace.hold(waits_until)
        self._waits_until = waits_until

    def _may_fly(self, now: datetime) -> bool:
        return self._pace.allows(now) and self._queue.may_fly(now)

    async def _recall(self, contract: UUID) -> None:
        """Try a contract's kept events again; where there are none any more it is free."""
        if self._queue.is_busy(contract):
            return
        flights = await asyncio.to_thread(self._repository.recall, contract)
        if flights:
            self._queue.recall(contract, flights)
            self._work.set()
        else:
            self._queue.release(contract)

    async def _note(self) -> None:
        """Note what has come about, and keep the lease. Raises LeaseLost."""
        since, position = monotonic() - self._renewed_at, self._queue.settled
        changes, waits_until = self._queue.changes(), self._pace.not_before
        waits_anew = waits_until is not None and waits_until != self._waits_until
        if (
            not changes.say_something
            and not waits_anew
            and position == self._noted
            and since < self._lease.seconds * RENEW_SHARE
        ):
            return
        begun, asked = monotonic(), waits_until if waits_anew else None
        state = await asyncio.to_thread(self._repository.note, changes, self._now(), asked)
        if state is None:
            raise LeaseLost(self._lease.name)
        self._noted, self._renewed_at, self._noted_at = position, begun, monotonic()
        self._waits_until = asked or self._waits_until
        if state != "active":
            self._look = self._look._replace(is_active=False)
        for contract in changes.drained:
            await self._recall(contract)

    async def _fly(self, sender: Sender) -> None:
        """Deliver one event after the other, of whatever contract is next."""
        while True:
            while monotonic() > self._renewed_at + self._lease.seconds * SAFE_SHARE:  # noqa: ASYNC110 # seldom
                await asyncio.sleep(TICK_SECONDS)  # until the lease is renewed, or lost
            now = self._now()
            flight = self._queue.next(now) if self._pace.allows(now) else None
            if flight is None:
                self._work.clear()
                await self._work.wait()
                continue
            self._pace.begin(now)
            try:
                outcome = await self._post(sender, flight.event, now)
            finally:
                self._pace.end()
            self._pace.landed(outcome, self._now())
            self._queue.landed(flight, outcome, self._now())
            self._work.set()

    async def _post(self, sender: Sender, event: FeedEvent, now: datetime) -> DeliveryResult:
        epoch = epoch_of(event.position, self._look.epochs)
        body = cloud_event_json(event, self._lease.book, epoch, type_prefix=self._type_prefix)
        headers = signed_headers(self._look.secrets, str(event.event_id), now, body)
        return await sender.post(body, headers, now)

    async def _land(self) -> None:
        """Start no further delivery, and wait for what is in flight, but not for ever."""
        self._queue.close()
        until = monotonic() + LANDING_SECONDS
        while self._queue.in_flight and monotonic() < until:  # noqa: ASYNC110 # one wait at the end
            await asyncio.sleep(TICK_SECONDS)
