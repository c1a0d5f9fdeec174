"""The register of contracts: how each contract stands, and the days of cover that they gave."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ledger.domain.contract.events import ContractEvent
from ledger.domain.contract.state import Contract
from ledger.store.pool import Connection
from projections.runner.registers import register
from projections.runner.rows import RowSource, select
from projections.runner.view import Table


class ContractRow(NamedTuple):
    """One contract; the policyholder stands as a person's id."""

    contract: str
    opened_position: int
    status: str
    product: str
    terms: str
    starts_on: date
    ends_on: date
    """First day without cover as known now."""
    notice_gate_on: date
    term: int
    policyholder: str
    language: str


TABLE = Table("projections.contracts", ContractRow._fields, identity=1)


def row_of(contract: Contract, opened_position: int) -> ContractRow:
    """Show a contract as one row."""
    return ContractRow(
        contract.number,
        opened_position,
        contract.status,
        contract.product,
        contract.terms,
        contract.starts_on,
        contract.ends_on,
        contract.notice_gate_on,
        contract.term,
        contract.person,
        contract.language,
    )


CONTRACTS = register(
    "contracts",
    "contract",
    TABLE,
    frozenset(event.stable_name for event in ContractEvent.__subclasses__()),
    row_of,
)


SELECT = """
select contract, status, product, terms, starts_on, ends_on, notice_gate_on, term, policyholder, language
from ({found}) as found
where (%(contracts)s::text[] is null or contract = any(%(contracts)s))
    and (%(status)s::text is null or status = %(status)s)
    and (%(before)s::date is null or starts_on < %(before)s)
order by opened_position
"""


@dataclass(frozen=True, slots=True)
class ContractsFilter:
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
    connection: Connection, source: RowSource, until: date, year: int | None = None
) -> list[dict[str, object]]:
    """Return the days of cover by calendar year, product and terms: those before `until` alone."""
    return select(connection, EXPOSURE, TABLE, source, {"until": until, "year": year})
