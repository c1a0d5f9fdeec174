"""Questions to the bordereau."""

from dataclasses import asdict, dataclass
from datetime import date

from ledger.store.pool import Connection
from projections.bordereau.fold import TABLE
from projections.folding.rows import Source
from projections.folding.selecting import select

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


def bordereau(connection: Connection, source: Source, wanted: BordereauWanted) -> list[dict[str, object]]:
    """Give a month's bordereau by claim, in order of opening; `position` names the event behind the row."""
    return select(connection, SELECT, TABLE, source, asdict(wanted))
