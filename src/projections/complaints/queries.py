"""Questions to the register of complaints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

SELECT = """
select complaint, contract, claim, status, received_on, complainant
from ({found}) as found
where (%(complaints)s::text[] is null or complaint = any(%(complaints)s))
    and (%(contracts)s::text[] is null or contract = any(%(contracts)s))
    and (%(claim)s::text is null or claim = %(claim)s)
    and (%(before)s::date is null or received_on < %(before)s)
    and (%(status)s::text is null or status = %(status)s)
order by opened_position
"""


@dataclass(frozen=True, slots=True)
class ComplaintsWanted:
    """Which complaints are asked for; None asks for all."""

    complaints: Sequence[str] | None = None
    contracts: Sequence[str] | None = None
    claim: str | None = None
    before: date | None = None
    """Complaints received before this date."""
    status: str | None = None
