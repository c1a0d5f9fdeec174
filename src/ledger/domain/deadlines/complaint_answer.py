"""R9: a complaint is answered within a month."""

from collections.abc import Sequence

from ledger.domain.complaint.events import (
    ComplaintAnswered,
    ComplaintClosed,
    ComplaintDeadlineMissed,
    ComplaintLodged,
)
from ledger.domain.deadlines.deadline import Diarise, Strike, cancelled, met, missed, rolled_forward
from ledger.domain.deadlines.policy import Policy
from ledger.domain.entries import Recorded


def react(recorded: Recorded) -> Sequence[Diarise | Strike]:
    """Say what an event makes of the rows of the answer."""
    match recorded.event:
        case ComplaintLodged(answer_raw_due_on=day):
            return (rolled_forward(day),)
        case ComplaintAnswered(on=day):
            return (Strike(lambda row: met(row, day)),)
        case ComplaintDeadlineMissed(kind="complaint_answer", seq=seq):
            return (Strike(lambda row: missed(row) if row.seq == seq else row),)
        case ComplaintClosed():
            return (Strike(cancelled),)
        case _:
            return ()


POLICY = Policy(
    kind="complaint_answer",
    rule="R9",
    listens_to=frozenset({ComplaintLodged, ComplaintAnswered, ComplaintDeadlineMissed, ComplaintClosed}),
    react=react,
)
