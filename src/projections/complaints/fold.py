"""How a complaint stands in the register."""

from datetime import date
from typing import NamedTuple

from ledger.domain.complaint.events import ComplaintEvent
from ledger.domain.complaint.state import Complaint
from projections.folding.registers import register
from projections.folding.view import Table


class ComplaintRow(NamedTuple):
    """One complaint; the complainant stands as a person's id, what it says is personal and not here."""

    complaint: str
    opened_position: int
    contract: str
    claim: str | None
    status: str
    received_on: date
    complainant: str


TABLE = Table("projections.complaints", ComplaintRow._fields, identity=1)


def row_of(complaint: Complaint, opened_position: int) -> ComplaintRow:
    """Show a complaint as one row."""
    return ComplaintRow(
        complaint.number,
        opened_position,
        complaint.contract,
        complaint.claim,
        complaint.status,
        complaint.received_on,
        complaint.person,
    )


COMPLAINTS = register(
    "complaints",
    "complaint",
    TABLE,
    frozenset(event.stable_name for event in ComplaintEvent.__subclasses__()),
    row_of,
)
