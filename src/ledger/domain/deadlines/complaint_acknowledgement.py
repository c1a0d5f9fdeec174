"""R9: a complaint is acknowledged within 3 working days."""

from collections.abc import Sequence

from ledger.domain.complaint.events import (
    ComplaintAcknowledged,
    ComplaintAnswered,
    ComplaintClosed,
    ComplaintDeadlineMissed,
    ComplaintLodged,
)
from ledger.domain.deadlines.deadline import Diarise, Strike, cancelled, met, missed, rolled_forward
from ledger.domain.deadlines.policy import Policy
from ledger.domain.entries import Recorded


def react(recorded: Recorded) -> Sequence[Diarise | Strike]:
    """Say what an event makes of the rows of the acknowledgement."""
    match recorded.event:
        case ComplaintLodged(acknowledgement_due_on=day):
            return (rolled_forward(day),)
        case ComplaintAcknowledged(on=day):
            return (Strike(lambda row: met(row, day)),)
        case ComplaintAnswered(on=day):
            # D18: an answer meets an open acknowledgement, not a missed one.
            return (Strike(lambda row: met(row, day) if row.status == "open" else row),)
        case ComplaintDeadlineMissed(kind="complaint_acknowledgement", seq=seq):
            return (Strike(lambda row: missed(row) if row.seq == seq else row),)
        case ComplaintClosed():
            return (Strike(cancelled),)
        case _:
            return ()


POLICY = Policy(
    kind="complaint_acknowledgement",
    rule="R9",
    listens_to=frozenset(
        {
            ComplaintLodged,
            ComplaintAcknowledged,
            ComplaintAnswered,
            ComplaintDeadlineMissed,
            ComplaintClosed,
        }
    ),
    react=react,
)
