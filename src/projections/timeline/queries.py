"""Questions to the timeline of claims."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

SELECT = """
select
    claim, version, contract, guarantee, step, event, effective_on, at, actor, days_since_notice,
    amount_cents, said, from_position as position
from ({found}) as found
where (%(contracts)s::text[] is null or contract = any(%(contracts)s))
    and (%(claims)s::text[] is null or claim = any(%(claims)s))
    and (%(guarantee)s::text is null or guarantee = %(guarantee)s)
    and (%(before)s::date is null or effective_on < %(before)s)
    and (%(step)s::text is null or step = %(step)s)
order by from_position
"""


@dataclass(frozen=True, slots=True)
class StepsWanted:
    """Which steps are asked for; None asks for all."""

    contracts: Sequence[str] | None = None
    claims: Sequence[str] | None = None
    guarantee: str | None = None
    before: date | None = None
    """Steps that took effect before this date."""
    step: str | None = None
