"""Questions to the limits view."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

SELECT = """
select
    contract, insurance_year, from_on, to_on, guarantee,
    amount_limit_cents, amount_consumed_cents, amount_reserved_cents,
    amount_limit_cents - amount_consumed_cents - amount_reserved_cents as amount_remaining_cents,
    count_limit, count_consumed, count_reserved,
    count_limit - count_consumed - count_reserved as count_remaining
from ({found}) as found
where (%(contracts)s::text[] is null or contract = any(%(contracts)s))
    and (%(guarantee)s::text is null or guarantee = %(guarantee)s)
    and (%(insurance_year)s::int is null or insurance_year = %(insurance_year)s)
    and (%(before)s::date is null or from_on < %(before)s)
order by contract_position, insurance_year, guarantee_order
"""


@dataclass(frozen=True, slots=True)
class LimitsWanted:
    """Which limits are asked for; None asks for all."""

    contracts: Sequence[str] | None = None
    guarantee: str | None = None
    insurance_year: int | None = None
    before: date | None = None
    """Insurance years that begin before this date."""
