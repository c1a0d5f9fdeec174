"""R5: the policyholder's notice ends cover on its own date."""

from collections.abc import Sequence

from ledger.domain.contract.events import (
    Cancelled,
    ContractAnnulled,
    ContractExpired,
    ContractWithdrawn,
    NoticeReceived,
    NoticeRevoked,
)
from ledger.domain.deadlines.deadline import Diarise, Strike, cancelled, cancelled_by_end, met, on_the_day
from ledger.domain.deadlines.policy import Policy
from ledger.domain.entries import Recorded


def react(recorded: Recorded) -> Sequence[Diarise | Strike]:
    """Say what an event makes of the rows of the notice's end."""
    match recorded.event:
        case NoticeReceived(ends_on=end):
            # D2: the R5 date, even where a timely letter ends the contract earlier.
            return (on_the_day(end),)
        case NoticeRevoked():
            return (Strike(cancelled),)
        case Cancelled(effective_on=end):
            return (Strike(lambda row: met(row, end)),)
        case ContractExpired(ends_on=end) | ContractWithdrawn(ends_on=end):
            return (Strike(lambda row: cancelled_by_end(row, end)),)
        case ContractAnnulled():
            return (Strike(cancelled),)
        case _:
            return ()


POLICY = Policy(
    kind="notice_end",
    rule="R5",
    listens_to=frozenset(
        {NoticeReceived, NoticeRevoked, Cancelled, ContractExpired, ContractWithdrawn, ContractAnnulled}
    ),
    react=react,
)
