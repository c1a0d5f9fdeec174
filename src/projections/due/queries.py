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
order by due_on, subject_position, opening
"""

# What is due more than once by one rule from one day is told apart by its place among all of these, whatever
# is left out of a calendar: the name that it has there never changes.
CALENDAR = """
select subject, kind, rule, raw_due_on, due_on, alert_on, status, met_on, nth
from (
    select found.*, row_number() over (
        partition by subject, kind, raw_due_on order by contract_position, subject_position, opening
    ) as nth
    from ({found}) as found
) as named
where (%(contracts)s::text[] is null or contract = any(%(contracts)s))
    and (%(subject)s::text is null or subject = %(subject)s)
    and (%(guarantee)s::text is null or guarantee = %(guarantee)s)
    and (%(before)s::date is null or due_on < %(before)s)
    and (%(from_on)s::date is null or due_on >= %(from_on)s)
    and (%(status)s::text is null or status = %(status)s)
    and (%(kind)s::text is null or kind = %(kind)s)
    and (%(open_or_from)s::date is null or status = 'open' or due_on >= %(open_or_from)s)
order by due_on, subject, kind, nth
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
