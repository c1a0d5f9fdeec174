"""The register of complaints: how each complaint stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ledger.domain.complaint.events import ComplaintEvent
from ledger.domain.complaint.state import Complaint
from projections.runner.registers import register
from projections.runner.view import Table


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


SELECT = """
select complaint, contract, claim, status, received_on, complainant
from ({found}) as found
where (%(complaints)s::text[] is null or complaint = any(%(complaints)s))
    and (%(contracts)s::text[] is null or contract = any(%(contracts)s))
    and (%(claim)s::text is null or claim = %(claim)s)
    and (%(before)s::date is null or received_on < %(before)s)
    and (%(status)s::text is null or status = %(status)s)
order by opened_position
"""


@dataclass(frozen=True, slots=True)
class ComplaintsFilter:
    """Which complaints are asked for; None asks for all."""

    complaints: Sequence[str] | None = None
    contracts: Sequence[str] | None = None
    claim: str | None = None
    before: date | None = None
    """Complaints received before this date."""
    status: str | None = None
