"""All deadline policies, by the kind of stream that they listen to."""

from collections.abc import Sequence
from typing import assert_never

from ledger.domain.deadlines import of_claim, of_complaint, of_contract
from ledger.domain.deadlines.deadline import Deadline
from ledger.domain.entries import Recorded
from ledger.domain.event import Event

LISTENED_TO: frozenset[type[Event]] = (
    of_contract.LISTENED_TO | of_claim.LISTENED_TO | of_complaint.LISTENED_TO
)
"""The events that move any deadline: no other needs to reach who folds them."""


def fold_deadlines(rows: Sequence[Deadline], recorded: Recorded) -> Sequence[Deadline]:
    """Give all rows of one subject after an event, in order of opening, from all its rows before."""
    standing = tuple(rows)
    match recorded.stream.kind:
        case "contract":
            return of_contract.fold_contract_deadlines(standing, recorded)
        case "claim":
            return of_claim.fold_claim_deadlines(standing, recorded)
        case "complaint":
            return of_complaint.fold_complaint_deadlines(standing, recorded)
        case unknown:
            assert_never(unknown)
