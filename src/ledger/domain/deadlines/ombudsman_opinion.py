"""R9: the Ombudsman gives an opinion within 90 days."""

from collections.abc import Sequence

from ledger.domain.complaint.events import (
    ComplaintClosed,
    ComplaintDeadlineMissed,
    ComplaintEscalated,
    OmbudsmanOpinionReceived,
)
from ledger.domain.deadlines.deadline import Diarise, Strike, cancelled, met, missed, rolled_forward
from ledger.domain.deadlines.policy import Policy
from ledger.domain.entries import Recorded


def react(recorded: Recorded) -> Sequence[Diarise | Strike]:
    """Say what an event makes of the rows of the opinion."""
    match recorded.event:
        case ComplaintEscalated(opinion_raw_due_on=day):
            return (rolled_forward(day),)
        case OmbudsmanOpinionReceived(on=day):
            return (Strike(lambda row: met(row, day)),)
        case ComplaintDeadlineMissed(kind="ombudsman_opinion", seq=seq):
            return (Strike(lambda row: missed(row) if row.seq == seq else row),)
        case ComplaintClosed():
            return (Strike(cancelled),)
        case _:
            return ()


POLICY = Policy(
    kind="ombudsman_opinion",
    rule="R9",
    listens_to=frozenset(
        {ComplaintEscalated, OmbudsmanOpinionReceived, ComplaintDeadlineMissed, ComplaintClosed}
    ),
    react=react,
)
