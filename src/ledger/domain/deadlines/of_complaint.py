"""The due dates of a complaint, one policy a kind."""

from ledger.domain.deadlines import complaint_acknowledgement, complaint_answer, ombudsman_opinion
from ledger.domain.deadlines.deadline import Deadline
from ledger.domain.deadlines.policy import fold_with
from ledger.domain.entries import Recorded
from ledger.domain.event import Event

_POLICIES = (complaint_acknowledgement.POLICY, complaint_answer.POLICY, ombudsman_opinion.POLICY)
LISTENED_TO = frozenset[type[Event]]().union(*(policy.listens_to for policy in _POLICIES))


def fold_complaint_deadlines(rows: tuple[Deadline, ...], recorded: Recorded) -> tuple[Deadline, ...]:
    """Give all rows of a complaint after an event, from all its rows before."""
    return fold_with(_POLICIES, rows, recorded) if type(recorded.event) in LISTENED_TO else rows
