"""Questions to the register of contracts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
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


def contracts(connection: Connection, source: Source, wanted: ContractsWanted) -> list[dict[str, object]]:
    """Give contracts in the order in which they were recorded. Persons stand as their ids."""
    return select(connection, SELECT, TABLE, source, asdict(wanted))
