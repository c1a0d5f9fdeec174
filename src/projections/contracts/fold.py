"""How a contract stands in the register."""

from datetime import date
from typing import NamedTuple

from ledger.domain.contract.events import ContractEvent
from ledger.domain.contract.state import Contract
from projections.folding.registers import register
from projections.folding.view import Table


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
