"""Questions to the due view."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

SELECT = """
select subject, kind, rule, raw_due_on, due_on, alert_on, status, met_on
from ({found}) as found
where (%(contracts)s::text[] is null or contract = any(%(contracts)s))
    and (%(subject)s::text is null or subject = %(subject)s)
    and (%(guarantee)s::text is null or guarantee = %(guarantee)s)
    and (%(before)s::date is null or due_on < %(before)s)
    and (%(from_on)s::date is null or due_on >= %(from_on)s)
    and (%(status)s::text is null or status = %(status)s)
    and (%(kind)s::text is null or kind = %(kind)s)
order by contract_position, subject_rank, subject_position, opening
"""


@dataclass(frozen=True, slots=True)
class DueWanted:
    """Which due rows are asked for; None asks for all."""

    contracts: Sequence[str] | None = None
    """Of these contracts, their claims and their complaints."""
    subject: str | None = None
    """Of one stream, as `claim:CL-1`."""
    guarantee: str | None = None
    """Of the claims under this guarantee."""
    before: date | None = None
    """Due before this date."""
    status: str | None = None
    kind: str | None = None
    from_on: date | None = None
    """Due on this date or later."""
