"""Subscriptions to the feed, their secrets, and the deliveries that did not go out yet."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from psycopg2.extras import execute_values

from ledger.store.canonical import canonical_json
from ledger.store.keys import BookKeys
from ledger.store.pool import Connection
from ledger.store.vault import seal, unseal

Kind = Literal["webhook", "nats", "pull"]
State = Literal["active", "paused", "disabled"]

_SUBSCRIPTIONS: Final = """
select name, kind, target, types, state, because, position, created_at, taken_at, told, waits_until
from ledger.subscriptions where book = %s
"""

_ADD_SUBSCRIPTION: Final = """
insert into ledger.subscriptions (book, name, kind, target, types, position) values (%s, %s, %s, %s, %s, %s)
on conflict (book, name) do nothing
"""
_ONE: Final = f"{_SUBSCRIPTIONS} and name = %s"
_ALL_SUBSCRIPTIONS: Final = f"{_SUBSCRIPTIONS} order by name"
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
        cursor.execute(_ADD_SUBSCRIPTION, (book, new.name, new.kind, new.target, types, new.position))
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
        cursor.execute(_ALL_SUBSCRIPTIONS, (book,))
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
    """Return the end of the pause that a receiver asked for, of whichever subscription that leads to it."""
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
    """Release it, so that another need not wait until it runs out."""
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


# Behind others of its contract an event is in their state: parked, if they are.
_KEEP: Final = """
insert into ledger.deliveries as known
    (book, subscription, position, contract, state, tries, failed_at, due_at, is_outage, told)
select given.book, given.subscription, given.position, given.contract::uuid,
       coalesce((select first.state from ledger.deliveries first
                 where first.book = given.book and first.subscription = given.subscription
                   and first.contract = given.contract::uuid
                 order by first.position limit 1), 'waiting'),
       given.tries, given.failed_at::timestamptz, given.due_at::timestamptz, given.is_outage, given.told
from (values %s)
    as given (book, subscription, position, contract, tries, failed_at, due_at, is_outage, told)
on conflict (book, subscription, position) {known}
"""
_KEEP_ANEW: Final = _KEEP.format(
    known="""do update
    set tries = excluded.tries, failed_at = excluded.failed_at, due_at = excluded.due_at,
        is_outage = excluded.is_outage, told = excluded.told"""
)
_KEEP_MISSING: Final = _KEEP.format(known="do nothing returning 1")
_ROW: Final = "(%s, %s, %s, %s, %s, %s::timestamptz, %s, %s, %s)"
_TAKEN: Final = """
delete from ledger.deliveries where book = %s and subscription = %s and position = any (%s)
"""
_PARK: Final = """
update ledger.deliveries set state = 'parked'
where book = %s and subscription = %s and contract = any (%s::uuid[])
"""
_HURRY: Final = """
update ledger.deliveries set due_at = %s
where book = %s and subscription = %s and state = 'waiting' and is_outage and due_at > %s
"""
_REPLAY: Final = """
update ledger.deliveries set state = 'waiting', tries = 0, failed_at = null, due_at = %s, is_outage = false
where book = %s and subscription = %s and state = 'parked'
"""
_CONTRACTS: Final = """
select contract::text from ledger.deliveries where book = %s and subscription = %s group by contract
"""
_DUE: Final = """
select contract::text from (
    select distinct on (contract) contract, due_at from ledger.deliveries
    where book = %s and subscription = %s and state = 'waiting'
    order by contract, position
) as first
where due_at <= %s
order by due_at limit %s
"""
_DELIVERIES: Final = """
select position, contract::text, state, tries, failed_at, due_at, is_outage, told
from ledger.deliveries where book = %s and subscription = %s
"""
_OF_CONTRACT: Final = f"{_DELIVERIES} and contract = %s and state = 'waiting' order by position limit %s"
_ALL_DELIVERIES: Final = f"{_DELIVERIES} order by position limit %s"
_COUNTS: Final = """
select subscription, count(*) filter (where state = 'waiting'), count(*) filter (where state = 'parked'),
       min(failed_at), min(due_at) filter (where state = 'waiting' and tries > 0)
from ledger.deliveries where book = %s group by subscription
"""
_WAITING: Final = """
select count(distinct contract) from ledger.deliveries
where book = %s and subscription = %s and state = 'waiting'
"""


class Kept(NamedTuple):
    """One event that was not taken yet."""

    position: int
    contract: UUID
    state: Literal["waiting", "parked"]
    tries: int
    """0: it was not tried, for it stands behind another of its contract."""
    failed_at: datetime | None
    """When its first try failed."""
    due_at: datetime
    """When it is tried next, once it is the first of its contract."""
    is_outage: bool
    """It failed because the receiver was away, not because of the event."""
    told: str | None
    """What the last failure was."""

    def as_json(self) -> dict[str, object]:
        """Return what `--json` prints; instants in UTC."""
        return {
            "position": self.position,
            "state": self.state,
            "tries": self.tries,
            "failing_since": iso_seconds(self.failed_at),
            # What stands behind another event of its contract waits for that one.
            "next_try_at": iso_seconds(self.due_at) if self.state == "waiting" and self.tries else None,
            "last_failure": self.told,
        }


def iso_seconds(instant: datetime | None) -> str | None:
    """Write an instant as ISO text, to the second; None stays None."""
    return None if instant is None else instant.isoformat(timespec="seconds")


def behind(position: int, contract: UUID, now: datetime) -> Kept:
    """Make one that was not tried: due as soon as those of its contract before it are out of the way."""
    return Kept(
        position,
        contract,
        state="waiting",
        tries=0,
        failed_at=None,
        due_at=now,
        is_outage=False,
        told=None,
    )


class Backlog(NamedTuple):
    """How much a subscription was not given yet."""

    waiting: int = 0
    parked: int = 0
    failing_since: datetime | None = None
    next_try_at: datetime | None = None


def keep(connection: Connection, book: str, subscription: str, kept: Sequence[Kept]) -> None:
    """Keep events for later; one that is kept already is noted anew, and stays in its state."""
    if kept:
        with connection.cursor() as cursor:
            execute_values(cursor, _KEEP_ANEW, _rows(book, subscription, kept), template=_ROW)


def keep_missing(connection: Connection, book: str, subscription: str, kept: Sequence[Kept]) -> int:
    """Keep events that are not kept already; how many."""
    if not kept:
        return 0
    with connection.cursor() as cursor:
        rows = _rows(book, subscription, kept)
        return len(execute_values(cursor, _KEEP_MISSING, rows, template=_ROW, fetch=True))


def forget(connection: Connection, book: str, subscription: str, positions: Sequence[int]) -> None:
    """Forget events that were taken after all."""
    if positions:
        with connection.cursor() as cursor:
            cursor.execute(_TAKEN, (book, subscription, list(positions)))


def park_contracts(connection: Connection, book: str, subscription: str, contracts: Sequence[UUID]) -> None:
    """Try no event of these contracts any more, until it is asked for."""
    if contracts:
        with connection.cursor() as cursor:
            cursor.execute(_PARK, (book, subscription, [str(contract) for contract in contracts]))


def hurry(connection: Connection, book: str, subscription: str, now: datetime) -> None:
    """Schedule at once what failed because the receiver was away."""
    with connection.cursor() as cursor:
        cursor.execute(_HURRY, (now, book, subscription, now))


def replay(connection: Connection, book: str, subscription: str, now: datetime) -> int:
    """Schedule what is parked again, to be tried at once and then for days; return how many events."""
    with connection.cursor() as cursor:
        cursor.execute(_REPLAY, (now, book, subscription))
        return cursor.rowcount


def kept_contracts(connection: Connection, book: str, subscription: str) -> set[UUID]:
    """Return the contracts whose events have to stand behind others, waiting or parked."""
    with connection.cursor() as cursor:
        cursor.execute(_CONTRACTS, (book, subscription))
        return {UUID(contract) for (contract,) in cursor.fetchall()}


def waiting_contracts(connection: Connection, book: str, subscription: str) -> int:
    """Count the contracts that wait for another try."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, (book, subscription))
        [(count,)] = cursor.fetchall()
    return int(count)


def due_contracts(
    connection: Connection, book: str, subscription: str, now: datetime, limit: int
) -> list[UUID]:
    """Return contracts whose first waiting event is due, the longest due first."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, (book, subscription, now, limit))
        return [UUID(contract) for (contract,) in cursor.fetchall()]


def waiting_of(
    connection: Connection, book: str, subscription: str, contract: UUID, limit: int
) -> list[Kept]:
    """Read the first waiting events of one contract, in order."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_CONTRACT, (book, subscription, str(contract), limit))
        return [_kept(row) for row in cursor.fetchall()]


def kept_events(connection: Connection, book: str, subscription: str, limit: int) -> list[Kept]:
    """Read all that is kept of one subscription, by position."""
    with connection.cursor() as cursor:
        cursor.execute(_ALL_DELIVERIES, (book, subscription, limit))
        return [_kept(row) for row in cursor.fetchall()]


def backlogs(connection: Connection, book: str) -> dict[str, Backlog]:
    """Count what is kept, for each subscription that has any."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, (book,))
        return {
            name: Backlog(waiting, parked, _utc(since), _utc(next_try))
            for name, waiting, parked, since, next_try in cursor.fetchall()
        }


def _rows(book: str, subscription: str, kept: Sequence[Kept]) -> list[tuple[object, ...]]:
    return [
        (
            book,
            subscription,
            one.position,
            str(one.contract),
            one.tries,
            one.failed_at,
            one.due_at,
            one.is_outage,
            one.told,
        )
        for one in kept
    ]


def _kept(row: Sequence[Any]) -> Kept:
    kept = Kept._make(row)
    return kept._replace(
        contract=UUID(row[1]), failed_at=_utc(kept.failed_at), due_at=kept.due_at.astimezone(UTC)
    )


_NUMBER: Final = """
select coalesce(max(number), 0) + 1 from ledger.subscription_secrets where book = %s and subscription = %s
"""
_ADD_SEALED: Final = """
insert into ledger.subscription_secrets (book, subscription, number, box) values (%s, %s, %s, %s)
"""
_EXPIRE: Final = """
update ledger.subscription_secrets set expires_at = %s
where book = %s and subscription = %s and (expires_at is null or expires_at > %s)
"""
_READ: Final = """
select number, box from ledger.subscription_secrets
where book = %s and subscription = %s and (expires_at is null or expires_at > %s)
order by number desc
"""
_SWEEP: Final = (
    "delete from ledger.subscription_secrets where book = %s and subscription = %s and expires_at <= %s"
)


class WebhookSecrets:
    """The secrets of the webhooks of all books."""

    def __init__(self, keys: BookKeys) -> None:
        """`keys`: those of the books. Rotating the master keys that wrap them leaves secrets as they are."""
        self._keys = keys

    def add(self, connection: Connection, book: str, subscription: str, secret: str) -> None:
        """Seal a further secret, which signs from now on."""
        key = self._keys.key(connection, book, "subscriptions")
        with connection.cursor() as cursor:
            cursor.execute(_NUMBER, (book, subscription))
            [(number,)] = cursor.fetchall()
            box = seal(key, secret, _place(book, subscription, number))
            cursor.execute(_ADD_SEALED, (book, subscription, number, box))

    @staticmethod
    def expire(
        connection: Connection, book: str, subscription: str, *, now: datetime, expires_at: datetime
    ) -> None:
        """Expire all secrets there are at `expires_at` at the latest; forget those that are over."""
        with connection.cursor() as cursor:
            cursor.execute(_SWEEP, (book, subscription, now))
            cursor.execute(_EXPIRE, (expires_at, book, subscription, expires_at))

    def in_force(self, connection: Connection, book: str, subscription: str, now: datetime) -> list[str]:
        """Open the secrets that sign now, the newest first. Raises MasterKeyMissing, InvalidTag."""
        with connection.cursor() as cursor:
            cursor.execute(_READ, (book, subscription, now))
            rows = cursor.fetchall()
        if not rows:
            return []
        key = self._keys.key(connection, book, "subscriptions")
        return [unseal(key, box, _place(book, subscription, number)) for number, box in rows]


def _place(book: str, subscription: str, number: int) -> bytes:
    return canonical_json({"book": book, "number": number, "subscription": subscription})
