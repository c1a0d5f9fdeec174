"""Events that a webhook could not be given yet: they wait for another try, or are parked."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from psycopg2.extras import execute_values

from ledger.store.pool import Connection

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
_COLUMNS: Final = "position, contract::text, state, tries, failed_at, due_at, is_outage, told"
_OF_CONTRACT: Final = f"""
select {_COLUMNS} from ledger.deliveries
where book = %s and subscription = %s and contract = %s and state = 'waiting' order by position limit %s
"""  # noqa: S608 # put together from its own constants
_ALL: Final = f"""
select {_COLUMNS} from ledger.deliveries where book = %s and subscription = %s order by position limit %s
"""  # noqa: S608 # put together from its own constants
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
    """Let what failed because the receiver was away be tried at once."""
    with connection.cursor() as cursor:
        cursor.execute(_HURRY, (now, book, subscription, now))


def replay(connection: Connection, book: str, subscription: str, now: datetime) -> int:
    """Let what is parked wait again, to be tried at once and then for days; how many events."""
    with connection.cursor() as cursor:
        cursor.execute(_REPLAY, (now, book, subscription))
        return cursor.rowcount


def kept_contracts(connection: Connection, book: str, subscription: str) -> set[UUID]:
    """Name the contracts whose events have to stand behind others, waiting or parked."""
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
    """Name contracts whose first waiting event is due, the longest due first."""
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
        cursor.execute(_ALL, (book, subscription, limit))
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


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)
