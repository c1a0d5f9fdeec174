"""The database's side of one webhook: what it has still to be given, and what is noted of it. Blocks."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ledger.feed.followers import FeedRange, read_range
from ledger.feed.reader import FeedEvent
from ledger.store.books import select_event_type_prefix
from ledger.store.log import Epoch, select_epochs
from ledger.store.pool import Connection, Pool
from ledger.store.subscriptions import (
    Kept,
    Lease,
    Progress,
    State,
    Subscription,
    WebhookSecrets,
    due_contracts,
    enter_state,
    forget,
    hurry,
    keep,
    keep_missing,
    kept_contracts,
    park_contracts,
    pause_of,
    release_lease,
    renew_lease,
    subscription,
    take_lease,
    waiting_contracts,
    waiting_of,
)
from ledger.webhooks.ordered_queue import Delivery, QueueChanges

RECALLED_EVENTS = 50
"""Of one contract at once."""
RECALLED_CONTRACTS = 64
"""At once."""


class DeliveryStart(NamedTuple):
    """Where a webhook's delivery goes on."""

    subscription: Subscription
    kept: set[UUID]
    """Contracts with events that wait or are parked."""
    type_prefix: str
    """Of the book's CloudEvents."""


class DeliveryConditions(NamedTuple):
    """What has changed meanwhile, by time or by others."""

    is_active: bool
    secrets: Sequence[str]
    """That sign now, the newest first."""
    due: Sequence[UUID]
    """Contracts whose first waiting event may be tried."""
    waiting: int
    """Contracts that wait."""
    epochs: Sequence[Epoch]
    waits_until: datetime | None = None
    """End of the pause that the receiver asked for."""


class DeliveryRepository:
    """Reads and notes for one webhook, under its lease."""

    def __init__(self, pool: Pool, secrets: WebhookSecrets, lease: Lease) -> None:
        """`pool` connects as the application."""
        self._pool = pool
        self._secrets = secrets
        self._lease = lease

    def begin(self) -> DeliveryStart | None:
        """Take the lease; None when another program delivers, or there is nothing to deliver any more."""
        book, name = self._lease.book, self._lease.name
        with self._pool.transaction() as connection:
            if take_lease(connection, self._lease) is None:
                return None
            found = subscription(connection, book, name)
            if found is None:
                return None
            return DeliveryStart(
                found, kept_contracts(connection, book, name), select_event_type_prefix(connection, book)
            )

    def read(self, after: int, limit: int, types: Sequence[str] | None) -> FeedRange:
        """Read on after a position. Raises GapFound where the feed does not go on without a gap."""
        with self._pool.connection() as connection:
            return read_range(connection, self._lease.book, after, limit, types)

    def epochs(self) -> list[Epoch]:
        """Read the epochs of the log."""
        with self._pool.connection() as connection:
            return select_epochs(connection, self._lease.book)

    def look(self, now: datetime) -> DeliveryConditions:
        """Look what is due, and what others have changed."""
        book, name = self._lease.book, self._lease.name
        with self._pool.connection() as connection:
            found = subscription(connection, book, name)
            return DeliveryConditions(
                found is not None and found.state == "active",
                self._secrets.in_force(connection, book, name, now),
                due_contracts(connection, book, name, now, RECALLED_CONTRACTS),
                waiting_contracts(connection, book, name),
                select_epochs(connection, book),
                None if found is None else pause_of(connection, book, found.target),
            )

    def recall(self, contract: UUID) -> list[Delivery]:
        """Read the first waiting events of a contract, to try them again. Raises GapFound."""
        book, name = self._lease.book, self._lease.name
        with self._pool.connection() as connection:
            waiting = waiting_of(connection, book, name, contract, RECALLED_EVENTS)
            return [Delivery(self._event(connection, kept.position), kept) for kept in waiting]

    def due(self, now: datetime) -> list[UUID]:
        """Return contracts whose first waiting event may be tried."""
        with self._pool.connection() as connection:
            return due_contracts(connection, self._lease.book, self._lease.name, now, RECALLED_CONTRACTS)

    def set_aside(self, kept: Kept, *, parks: bool) -> None:
        """Keep an event that does not go out now, unless it is kept already; `parks`: with its contract."""
        book, name = self._lease.book, self._lease.name
        with self._pool.transaction() as connection:
            keep_missing(connection, book, name, [kept])
            if parks:
                park_contracts(connection, book, name, [kept.contract])

    def took(self, position: int) -> None:
        """Forget an event that was kept and has gone out now."""
        with self._pool.transaction() as connection:
            forget(connection, self._lease.book, self._lease.name, [position])

    def park(self, contract: UUID) -> None:
        """Try what is kept of a contract no more, until it is asked for."""
        with self._pool.transaction() as connection:
            park_contracts(connection, self._lease.book, self._lease.name, [contract])

    def note(self, changes: QueueChanges, now: datetime, waits_until: datetime | None = None) -> State | None:
        """Note what has come about, all at once; the subscription's state, None when the lease is lost.

        `waits_until`: end of the pause that the receiver has asked for since; None: it has asked for none.
        """
        book, name = self._lease.book, self._lease.name
        progress = Progress(changes.position, changes.taken_at, changes.told, waits_until)
        with self._pool.transaction() as connection:
            state = renew_lease(connection, self._lease, progress)
            if state is None:
                return None
            keep(connection, book, name, changes.keep)
            forget(connection, book, name, changes.forget)
            park_contracts(connection, book, name, changes.park)
            if changes.hurry:
                hurry(connection, book, name, now)
            if changes.gone is not None:
                state = "disabled"
                enter_state(connection, book, name, state, changes.gone)
        return state

    def release(self) -> None:
        """Release the lease."""
        with self._pool.connection() as connection:
            release_lease(connection, self._lease)

    def _event(self, connection: Connection, position: int) -> FeedEvent:
        [event] = read_range(connection, self._lease.book, position - 1, 1, None).events
        return event
