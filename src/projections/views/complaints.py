"""The register of complaints: how each complaint stands."""

from datetime import date
from typing import Annotated, Final, NamedTuple, get_args

from ledger.domain.codes import ComplaintStatus
from ledger.domain.complaint.events import ComplaintEvent
from ledger.domain.complaint.state import Complaint
from projections.listing import Column, ContractNumber, Filter, Listing, Status
from projections.runner.registers import register
from projections.runner.view import Table


class ComplaintRow(NamedTuple):
    """One complaint; the complainant stands as a person's id, what it says is personal and not here."""

    complaint: Annotated[str, Column("Complaint", "complaint", "Number of the complaint.")]
    opened_position: int
    contract: ContractNumber
    claim: Annotated[str | None, Column("About claim", "claim", "Number of the claim.", "claim")]
    status: Status
    received_on: Annotated[date, Column("Received", "day", "When the complaint came in.")]
    complainant: Annotated[str, Column("", "text", "Id of the person; never a name.", "complainant")]


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


LISTED: Final = Listing(
    name="complaints",
    summary="Complaints in the order in which they were lodged",
    row=ComplaintRow,
    of=COMPLAINTS,
    order=("opened_position",),
    filters=(
        Filter("contract", "Only complaints about this contract."),
        Filter("claim", "Only complaints about this claim."),
        Filter("status", "Only complaints with this status.", choices=get_args(ComplaintStatus)),
        Filter("before", "Only complaints received before this date.", "received_on < %(before)s"),
    ),
    conditions={
        "complaint": "complaint = %(complaint)s",
        "beginning": "complaint like %(beginning)s or contract like %(beginning)s",
    },
    # A complaint is no part of its claim's stream.
    scoped_by=("contract",),
    table="complaint contract claim status received_on complainant",
    page="complaint contract claim status received_on",
)
