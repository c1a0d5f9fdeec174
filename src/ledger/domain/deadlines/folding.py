"""All deadline policies, by the kind of stream that they listen to."""

from collections.abc import Sequence
from typing import assert_never

from ledger.domain.deadlines.deadline import Deadline
from ledger.domain.deadlines.of_claim import fold_claim_deadlines
from ledger.domain.deadlines.of_complaint import fold_complaint_deadlines
from ledger.domain.deadlines.of_contract import fold_contract_deadlines
from ledger.domain.entries import Recorded


def fold_deadlines(rows: Sequence[Deadline], recorded: Recorded) -> Sequence[Deadline]:
    """Give all rows of one subject after an event, in order of opening, from all its rows before."""
    standing = tuple(rows)
    match recorded.stream.kind:
        case "contract":
            return fold_contract_deadlines(standing, recorded)
        case "claim":
            return fold_claim_deadlines(standing, recorded)
        case "complaint":
            return fold_complaint_deadlines(standing, recorded)
        case unknown:
            assert_never(unknown)
