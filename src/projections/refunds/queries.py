"""Questions to the refunds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

SELECT = """
select
    claim, number, contract, guarantee, status, submitted_on, raw_due_on, due_on, settled_on,
    days_allowed, days_taken, in_time, approved_cents, refunded_cents, owed_cents, from_position as position
from ({found}) as found
where (%(contracts)s::text[] is null or contract = any(%(contracts)s))
    and (%(claims)s::text[] is null or claim = any(%(claims)s))
    and (%(guarantee)s::text is null or guarantee = %(guarantee)s)
    and (%(before)s::date is null or due_on < %(before)s)
    and (%(status)s::text is null or status = %(status)s)
order by opened_position, number
"""


@dataclass(frozen=True, slots=True)
class RefundsWanted:
    """Which refunds are asked for; None asks for all."""

    contracts: Sequence[str] | None = None
    claims: Sequence[str] | None = None
    guarantee: str | None = None
    before: date | None = None
    """Refunds due before this date."""
    status: str | None = None
    """Of the deadline: `open`, `met`, `missed`, `cancelled`."""
