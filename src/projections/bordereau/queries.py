"""Questions to the bordereau."""

from dataclasses import dataclass
from datetime import date

# Of each claim the last month up to the one asked for. Where that lies before, nothing was paid in the month,
# and all that the row says was paid stands as paid before.
SELECT = """
select
    %(month)s::date as month, claim, contract, guarantee, incident_on, insurance_year, status, approved_cents,
    case when month = %(month)s then paid_cents else 0 end as paid_cents,
    paid_before_cents + case when month = %(month)s then 0 else paid_cents end as paid_before_cents,
    case when month = %(month)s then recovered_cents else 0 end as recovered_cents,
    recovered_before_cents + case when month = %(month)s then 0 else recovered_cents end
        as recovered_before_cents,
    outstanding_cents, position
from (
    select distinct on (opened_position) found.*, from_position as position
    from ({found}) as found
    where month <= %(month)s
    order by opened_position, month desc
) as standing
where (%(contract)s::text is null or contract = %(contract)s)
    and (%(guarantee)s::text is null or guarantee = %(guarantee)s)
    and (%(status)s::text is null or status = %(status)s)
    and (%(every)s or month = %(month)s or outstanding_cents <> 0)
order by opened_position
"""


@dataclass(frozen=True, slots=True)
class BordereauWanted:
    """Which claims of which month are asked for; None asks for all."""

    month: date
    """The month's first day."""
    contract: str | None = None
    guarantee: str | None = None
    status: str | None = None
    every: bool = False
    """Claims too on which nothing took effect in the month and nothing is outstanding."""
