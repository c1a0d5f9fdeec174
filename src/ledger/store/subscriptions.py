"""Subscriptions in the database: who is told of events, how far, and who delivers at the moment."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple
from uuid import UUID

from ledger.store.pool import Connection

Kind = Literal["webhook", "nats", "pull"]
State = Literal["active", "paused", "disabled"]

_COLUMNS: Final = (
    "name, kind, target, types, state, because, position, created_at, taken_at, told, waits_until"
)

_ADD: Final = """
insert into ledger.subscriptions (book, name, kind, target, types, position) values (%s, %s, %s, %s, %s, %s)
on conflict (book, name) do nothing
"""
_ONE: Final = f"select {_COLUMNS} from ledger.subscriptions where book = %s and name = %s"  # noqa: S608 # put together from its own constants
_ALL: Final = f"select {_COLUMNS} from ledger.subscriptions where book = %s order by name"  # noqa: S608 # as above
_LOCK: Final = f"{_ONE} for update"
_REMOVE: Final = (
    "delete from ledger.deliveries where book = %s and subscription = %s",
    "delete from ledger.subscription_secrets where book = %s and subscription = %s",
    "delete from ledger.subscriptions where book = %s and name = %s",
)
_ENTER: Final = "update ledger.subscriptions set state = %s, because = %s where book = %s and name = %s"

_PAUSE: Final = "select max(waits_until) from ledger.subscriptions where book = %s and target = %s"
_LIFT: Final = (
    "update ledger.subscriptions set waits_until = null "
    "where book = %s and target = %s and waits_until is not null"
)

_LEASE: Final = """
update ledger.subscriptions
set lease = %(lease)s, leased_until = clock_timestamp() + %(seconds)s * interval '1 s'
where book = %(book)s and name = %(name)s and state = 'active'
  and (lease is null or lease = %(lease)s or leased_until < clock_timestamp())
returning position
"""
_RENEW: Final = """
update ledger.subscriptions
set leased_until = clock_timestamp() + %(seconds)s * interval '1 s', position = %(position)s,
    taken_at = coalesce(%(taken_at)s, taken_at), told = %(told)s,
    waits_until = coalesce(%(waits_until)s, waits_until)
where book = %(book)s and name = %(name)s and lease = %(lease)s
returning state
"""
_RELEASE: Final = """
update ledger.subscriptions set lease = null, leased_until = null where book = %s and name = %s and lease = %s
"""
_MOVE: Final = """
update ledger.subscriptions set position = %(to)s, taken_at = clock_timestamp()
where book = %(book)s and name = %(name)s and position = %(from)s and state = 'active'
"""


class NewSubscription(NamedTuple):
    """One subscriber that is to be added."""

    name: str
    kind: Kind
    target: str | None
    types: Sequence[str] | None
    position: int
    """It begins after it."""


class Subscription(NamedTuple):
    """One subscriber of a book, by the name that the operator gave it."""

    name: str
    kind: Kind
    target: str | None
    """Address of a webhook, name of a NATS stream."""
    types: Sequence[str] | None
    """Stable names of the events wanted; None: all."""
    state: State
    because: str | None
    """Why it is not active."""
    position: int
    """Every event up to it was taken, or waits, or is parked; -1 before the first."""
    created_at: datetime
    taken_at: datetime | None
    """When an event was last taken."""
    told: str | None
    """What the last failure was; None after a success."""
    waits_until: datetime | None = None
    """End of the pause that the receiver asked for last."""


class Lease(NamedTuple):
    """The right to deliver for one subscription, until it runs out or is given back."""

    book: str
    name: str
    lease: UUID
    seconds: float
    """How long it holds from each renewal."""


class Progress(NamedTuple):
    """What a program that holds a lease has come to."""

    position: int
    taken_at: datetime | None
    """When an event was last taken; None: none since the last time."""
    told: str | None
    waits_until: datetime | None = None
    """End of the pause that the receiver has asked for; None: as it was."""


def add_subscription(connection: Connection, book: str, new: NewSubscription) -> bool:
    """Add one, active from now on; False when there is one of that name already."""
    types = None if new.types is None else list(new.types)
    with connection.cursor() as cursor:
        cursor.execute(_ADD, (book, new.name, new.kind, new.target, types, new.position))
        return cursor.rowcount == 1


def subscription(connection: Connection, book: str, name: str, *, lock: bool = False) -> Subscription | None:
    """Read one; `lock`: until the transaction ends. Whoever changes its deliveries locks it first."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK if lock else _ONE, (book, name))
        found = cursor.fetchone()
    return _subscription(found) if found else None


def subscriptions(connection: Connection, book: str) -> list[Subscription]:
    """Read all of a book, by name."""
    with connection.cursor() as cursor:
        cursor.execute(_ALL, (book,))
        return [_subscription(row) for row in cursor.fetchall()]


def remove_subscription(connection: Connection, book: str, name: str) -> None:
    """Forget one with its secrets and all that it was not given yet."""
    with connection.cursor() as cursor:
        for statement in _REMOVE:
            cursor.execute(statement, (book, name))


def enter_state(connection: Connection, book: str, name: str, state: State, because: str | None) -> None:
    """Set the state, and why."""
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, (state, because, book, name))


def pause_of(connection: Connection, book: str, target: str | None) -> datetime | None:
    """Give the end of the pause that a receiver asked for, of whichever subscription that leads to it."""
    with connection.cursor() as cursor:
        cursor.execute(_PAUSE, (book, target))
        [(until,)] = cursor.fetchall()
    return _utc(until)


def lift_pause(connection: Connection, book: str, target: str | None) -> None:
    """Forget the pause that a receiver asked for."""
    with connection.cursor() as cursor:
        cursor.execute(_LIFT, (book, target))


def take_lease(connection: Connection, lease: Lease) -> int | None:
    """Take the right to deliver, and the position to go on from; None when there is nothing to take."""
    with connection.cursor() as cursor:
        cursor.execute(_LEASE, lease._asdict() | {"lease": str(lease.lease)})
        found = cursor.fetchone()
    return int(found[0]) if found else None


def renew_lease(connection: Connection, lease: Lease, progress: Progress) -> State | None:
    """Note how far it is and keep the lease; its state, or None when the lease is another's or it is gone.

    In a transaction it also keeps others from the subscription's deliveries until the end.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, lease._asdict() | {"lease": str(lease.lease)} | progress._asdict())
        found = cursor.fetchone()
    return found[0] if found else None


def release_lease(connection: Connection, lease: Lease) -> None:
    """Give it back, so that another need not wait until it runs out."""
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, (lease.book, lease.name, str(lease.lease)))


def move_position(connection: Connection, book: str, name: str, came_from: int, to: int) -> bool:
    """Move the checkpoint of who pulls; False when it stands elsewhere, is not active or is gone."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, {"book": book, "name": name, "from": came_from, "to": to})
        return cursor.rowcount == 1


def _subscription(row: Sequence[object]) -> Subscription:
    found = Subscription._make(row)
    return found._replace(
        created_at=found.created_at.astimezone(UTC),
        taken_at=_utc(found.taken_at),
        waits_until=_utc(found.waits_until),
    )


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)
