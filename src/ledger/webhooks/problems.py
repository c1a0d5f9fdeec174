"""Subscribers that somebody has to look after: switched off, given up on, or far behind."""

from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple

from ledger.store.pool import Connection
from ledger.store.subscriptions import Kind

FAR_BEHIND: Final = timedelta(hours=1)
"""An active subscriber that was not given what was sealed so long ago, and has been there since."""

Problem = Literal["disabled", "parked", "behind"]

_FOUND: Final = """
select s.name, s.kind, s.state, coalesce(s.because, s.told),
       (select coalesce(max(position), -1) from ledger.log l where l.book = s.book) - s.position,
       kept.parked, kept.parked_since, kept.waiting,
       least(kept.waiting_since,
             case when next.position is not null then greatest(next.sealed_at, s.created_at) end),
       clock_timestamp()
from ledger.subscriptions s
left join ledger.log next on next.book = s.book and next.position = s.position + 1
cross join lateral (
    select count(*) filter (where d.state = 'parked') as parked,
           min(d.failed_at) filter (where d.state = 'parked') as parked_since,
           count(*) filter (where d.state = 'waiting') as waiting,
           min(d.failed_at) filter (where d.state = 'waiting') as waiting_since
    from ledger.deliveries d where d.book = s.book and d.subscription = s.name
) as kept
where s.book = %s and s.kind <> 'pull'
order by s.name
"""


class SubscriptionProblem(NamedTuple):
    """What is wrong with one subscriber."""

    subscription: str
    kind: Kind
    problem: Problem
    events: int
    """Events that it was not given."""
    since: datetime | None
    error: str | None
    """What its receiver said last; nothing of an event or of an address."""

    @property
    def said(self) -> str:
        """One line that says what is so and what to do."""
        name, why = self.subscription, f" ({self.error})" if self.error else ""
        match self.problem:
            case "disabled":
                return (
                    f"{name} is disabled{why}: coverledger subscriptions resume {name} lets it go on, "
                    "remove forgets it"
                )
            case "parked":
                return (
                    f"{name} was given up on with {self.events:,} events, which are parked{why}: see "
                    f"coverledger subscriptions show {name}, then replay-parked"
                )
            case "behind":
                return (
                    f"{name} is far behind: {self.events:,} events, the first since "
                    f"{self.since:%Y-%m-%d %H:%M} UTC{why}: see coverledger subscriptions show {name}"
                )


def subscription_problems(connection: Connection, book: str) -> list[SubscriptionProblem]:
    """Return what is wrong with whom, by name; of one subscriber that may be more than one thing."""
    with connection.cursor() as cursor:
        cursor.execute(_FOUND, (book,))
        rows = cursor.fetchall()
    found: list[SubscriptionProblem] = []
    for name, kind, state, error, lag, parked, parked_since, waiting, behind_since, now in rows:
        if parked:
            found.append(SubscriptionProblem(name, kind, "parked", parked, _utc(parked_since), error))
        if state == "disabled":
            found.append(SubscriptionProblem(name, kind, "disabled", lag + waiting, None, error))
        elif state == "active" and behind_since is not None and behind_since < now - FAR_BEHIND:
            found.append(SubscriptionProblem(name, kind, "behind", lag + waiting, _utc(behind_since), error))
    return found


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)
