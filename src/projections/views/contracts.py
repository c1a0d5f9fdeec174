"""The register of contracts: how each contract stands, and the days of cover that they gave."""

from datetime import date
from typing import Annotated, Final, NamedTuple, get_args

from ledger.domain.codes import ContractStatus
from ledger.domain.contract.events import ContractEvent
from ledger.domain.contract.state import Contract
from ledger.store.pool import Connection
from projections.listing import Column, ContractNumber, Filter, Listing, Status
from projections.runner.registers import register
from projections.runner.rows import RowSource, select
from projections.runner.view import Table


class ContractRow(NamedTuple):
    """One contract; the policyholder stands as a person's id."""

    contract: ContractNumber
    opened_position: int
    status: Status
    product: Annotated[str, Column("", "text", "Name of the product.", "product")]
    terms: Annotated[str, Column("", "text", "Version of the product terms.", "terms")]
    starts_on: Annotated[date, Column("Starts", "day", "First day of cover.")]
    ends_on: Annotated[
        date, Column("Ends", "day", "First day without cover, as known now.", is_promised=False)
    ]
    notice_gate_on: Annotated[
        date,
        Column("Notice from", "day", "From this day on notice counts as given when it is received."),
    ]
    term: Annotated[int, Column("Year", "number", "Number of the last term begun.", "term")]
    policyholder: Annotated[str, Column("Policyholder", "text", "Id of the person; never a name.")]
    language: Annotated[str, Column("", "text", "Language of the contract.")]


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


LISTED: Final = Listing(
    name="contracts",
    summary="Contracts in the order in which they were recorded",
    row=ContractRow,
    of=CONTRACTS,
    order=("opened_position",),
    filters=(
        Filter("status", "Only contracts with this status.", choices=get_args(ContractStatus)),
        Filter("before", "Only contracts that started before this date.", "starts_on < %(before)s"),
    ),
    conditions={"contract": "contract = %(contract)s", "beginning": "contract like %(beginning)s"},
    table="contract status starts_on ends_on term notice_gate_on product terms policyholder",
    left_out="terms product",
    page="contract status starts_on ends_on term notice_gate_on policyholder",
    page_spares="notice_gate_on policyholder",
)


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
