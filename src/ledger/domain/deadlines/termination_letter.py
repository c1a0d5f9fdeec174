"""R6: the insurer's registered letter must be posted by N, or the contract renews."""

from collections.abc import Sequence

from ledger.domain.contract.events import (
    Cancelled,
    ContractAnnulled,
    ContractDeadlineMissed,
    ContractExpired,
    ContractRenewed,
    ContractStarted,
    ContractWithdrawn,
    TerminationNoticeSent,
)
from ledger.domain.deadlines.deadline import (
    Diarise,
    Strike,
    cancelled,
    cancelled_by_end,
    met,
    missed,
    rolled_back,
)
from ledger.domain.deadlines.policy import Policy
from ledger.domain.entries import Recorded


def react(recorded: Recorded) -> Sequence[Diarise | Strike]:  # noqa: PLR0911 - one return a kind of event
    """Say what an event makes of the letter's rows."""
    match recorded.event:
        case ContractStarted(letter_raw_due_on=day) | ContractRenewed(letter_raw_due_on=day):
            return (rolled_back(day),)
        case TerminationNoticeSent(timely=True, posted_on=posted_on, letter_raw_due_on=day):
            # R12: only a timely letter meets the deadline, on the day of its posting (Q8).
            return (Strike(lambda row: met(row, posted_on) if row.raw_due_on == day else row),)
        case ContractDeadlineMissed(kind="termination_letter", seq=seq):
            return (Strike(lambda row: missed(row) if row.seq == seq else row),)
        case Cancelled(effective_on=end):
            return (Strike(lambda row: cancelled_by_end(row, end)),)
        case ContractExpired(ends_on=end) | ContractWithdrawn(ends_on=end):
            return (Strike(lambda row: cancelled_by_end(row, end)),)
        case ContractAnnulled():
            return (Strike(cancelled),)
        case _:
            return ()


POLICY = Policy(
    kind="termination_letter",
    rule="R6",
    listens_to=frozenset(
        {
            ContractStarted,
            ContractRenewed,
            TerminationNoticeSent,
            ContractDeadlineMissed,
            Cancelled,
            ContractExpired,
            ContractWithdrawn,
            ContractAnnulled,
        }
    ),
    react=react,
)
