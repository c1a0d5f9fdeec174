"""Questions to the movements of money."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

SELECT = """
select
    claim, number, contract, guarantee, kind, moved_on, paid_cents, received_cents, payment_reference, payer,
    from_position as position
from ({found}) as found
where (%(contracts)s::text[] is null or contract = any(%(contracts)s))
    and (%(claims)s::text[] is null or claim = any(%(claims)s))
    and (%(guarantee)s::text is null or guarantee = %(guarantee)s)
    and (%(since)s::date is null or moved_on >= %(since)s)
    and (%(before)s::date is null or moved_on < %(before)s)
order by opened_position, number
"""


@dataclass(frozen=True, slots=True)
class PaymentsWanted:
    """Which movements are asked for; None asks for all."""

    contracts: Sequence[str] | None = None
    claims: Sequence[str] | None = None
    guarantee: str | None = None
    since: date | None = None
    """Movements on this date or later."""
    before: date | None = None
    """Movements before this date."""
