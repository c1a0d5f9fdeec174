"""Questions to the register of claims."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

SELECT = """
select
    claim, contract, guarantee, status, incident_on, insurance_year,
    loss_cents, approved_cents, excess_cents, refunded_cents, recovered_cents, rejection_code, victim
from ({found}) as found
where (%(claims)s::text[] is null or claim = any(%(claims)s))
    and (%(contracts)s::text[] is null or contract = any(%(contracts)s))
    and (%(guarantee)s::text is null or guarantee = %(guarantee)s)
    and (%(before)s::date is null or incident_on < %(before)s)
    and (%(status)s::text is null or status = %(status)s)
order by opened_position
"""


@dataclass(frozen=True, slots=True)
class ClaimsWanted:
    """Which claims are asked for; None asks for all."""

    claims: Sequence[str] | None = None
    contracts: Sequence[str] | None = None
    guarantee: str | None = None
    before: date | None = None
    """Claims whose incident lies before this date."""
    status: str | None = None
