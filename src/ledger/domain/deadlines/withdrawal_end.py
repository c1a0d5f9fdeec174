"""R10: a distance sale can be withdrawn from for so many days."""

from collections.abc import Sequence
from dataclasses import replace

from ledger.domain.contract.events import (
    Cancelled,
    ContractAnnulled,
    ContractExpired,
    ContractStarted,
    ContractWithdrawn,
    WithdrawalPeriodEnded,
)
from ledger.domain.deadlines.deadline import Diarise, Strike, cancelled, cancelled_by_end, met, rolled_forward
from ledger.domain.deadlines.policy import Policy
from ledger.domain.entries import Recorded


def react(recorded: Recorded) -> Sequence[Diarise | Strike]:  # noqa: PLR0911 - one return a kind of event
    """Say what an event makes of the row of the withdrawal's end."""
    match recorded.event:
        case ContractStarted(withdrawal_raw_due_on=day) if day is not None:
            return (rolled_forward(day),)
        case WithdrawalPeriodEnded(due_on=due_on):
            return (Strike(lambda row: met(row, due_on)),)
        case ContractWithdrawn(received_on=received_on):
            # D6: met by withdrawal, on its receipt, though it may be recorded after the days went by.
            return (Strike(lambda row: replace(row, status="met", met_on=received_on)),)
        case Cancelled(effective_on=end):
            return (Strike(lambda row: cancelled_by_end(row, end)),)
        case ContractExpired(ends_on=end):
            return (Strike(lambda row: cancelled_by_end(row, end)),)
        case ContractAnnulled():
            return (Strike(cancelled),)
        case _:
            return ()


POLICY = Policy(
    kind="withdrawal_end",
    rule="R10",
    listens_to=frozenset(
        {
            ContractStarted,
            WithdrawalPeriodEnded,
            ContractWithdrawn,
            Cancelled,
            ContractExpired,
            ContractAnnulled,
        }
    ),
    react=react,
)
