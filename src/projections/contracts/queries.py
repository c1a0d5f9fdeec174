"""Questions to the register of contracts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ledger.store.pool import Connection
from projections.contracts.fold import TABLE
from projections.folding.rows import Source
from projections.folding.selecting import select

SELECT = """
select contract, status, product, terms, starts_on, ends_on, notice_gate_on, term, policyholder, language
from ({found}) as found
where (%(contracts)s::text[] is null or contract = any(%(contracts)s))
    and (%(status)s::text is null or status = %(status)s)
    and (%(before)s::date is null or starts_on < %(before)s)
order by opened_position
"""


@dataclass(frozen=True, slots=True)
class ContractsWanted:
    """Which contracts are asked for; None asks for all."""

    contracts: Sequence[str] | None = None
    status: str | None = None
    before: date | None = None
    """Contracts that started before this date."""


# Days of cover that lie in a calendar year and before `until`. A contract that never gave cover gives none.
EXPOSURE = """
select
    year, product, terms, count(*) as contracts,
    sum(greatest(0, least(ends_on, make_date(year + 1, 1, 1), %(until)s::date)
                    - greatest(starts_on, make_date(year, 1, 1))))::bigint as exposed_days
from ({found}) as found
cross join lateral generate_series(
    extract(year from starts_on)::int, extract(year from least(ends_on, %(until)s::date))::int
) as year
where (%(year)s::int is null or year = %(year)s)
group by 1, 2, 3
order by 1, 2, 3
"""


def exposure(
    connection: Connection, source: Source, until: date, year: int | None = None
) -> list[dict[str, object]]:
    """Give the days of cover by calendar year, product and terms: those before `until` alone."""
    return select(connection, EXPOSURE, TABLE, source, {"until": until, "year": year})
