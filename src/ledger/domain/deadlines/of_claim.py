"""The due dates of a claim, one policy a kind."""

from ledger.domain.deadlines import refund
from ledger.domain.deadlines.deadline import Deadline
from ledger.domain.deadlines.policy import fold_with
from ledger.domain.entries import Recorded
from ledger.domain.event import Event

_POLICIES = (refund.POLICY,)
LISTENED_TO = frozenset[type[Event]]().union(*(policy.listens_to for policy in _POLICIES))


def fold_claim_deadlines(rows: tuple[Deadline, ...], recorded: Recorded) -> tuple[Deadline, ...]:
    """Give all rows of a claim after an event, from all its rows before."""
    return fold_with(_POLICIES, rows, recorded) if type(recorded.event) in LISTENED_TO else rows
