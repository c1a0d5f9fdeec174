"""The due dates of a contract, one policy a kind."""

from ledger.domain.deadlines import notice_end, term_end, termination_letter, withdrawal_end
from ledger.domain.deadlines.deadline import Deadline
from ledger.domain.deadlines.policy import fold_with
from ledger.domain.entries import Recorded
from ledger.domain.event import Event

_POLICIES = (termination_letter.POLICY, term_end.POLICY, notice_end.POLICY, withdrawal_end.POLICY)
LISTENED_TO = frozenset[type[Event]]().union(*(policy.listens_to for policy in _POLICIES))


def fold_contract_deadlines(rows: tuple[Deadline, ...], recorded: Recorded) -> tuple[Deadline, ...]:
    """Give all rows of a contract after an event, from all its rows before."""
    return fold_with(_POLICIES, rows, recorded) if type(recorded.event) in LISTENED_TO else rows
