"""R3: at the end of its term a contract ends or renews."""

from collections.abc import Sequence

from ledger.domain.contract.events import (
    Cancelled,
    ContractAnnulled,
    ContractExpired,
    ContractRenewed,
    ContractStarted,
    ContractWithdrawn,
)
from ledger.domain.deadlines.deadline import (
    Deadline,
    Diarise,
    Strike,
    cancelled,
    cancelled_by_end,
    met,
    on_the_day,
)
from ledger.domain.deadlines.policy import Policy
from ledger.domain.entries import Recorded


def react(recorded: Recorded) -> Sequence[Diarise | Strike]:  # noqa: PLR0911 - one return a kind of event
    """Say what an event makes of the rows of the terms' ends."""
    match recorded.event:
        case ContractStarted(ends_on=end):
            return (on_the_day(end),)
        case ContractRenewed(starts_on=start, ends_on=end):
            return (Strike(lambda row: met(row, start) if row.raw_due_on == start else row), on_the_day(end))
        case ContractExpired(ends_on=end):

            def through(row: Deadline) -> Deadline:
                # D3: a letter recorded after the renewal finds it met; later terms never came to be.
                return met(row, end) if row.raw_due_on == end else cancelled_by_end(row, end)

            return (Strike(through),)
        case Cancelled(effective_on=end):
            # D1: a notice that ends exactly on E cancels the term's end as well.
            return (Strike(lambda row: cancelled_by_end(row, end)),)
        case ContractWithdrawn(ends_on=end):
            return (Strike(lambda row: cancelled_by_end(row, end)),)
        case ContractAnnulled():
            return (Strike(cancelled),)
        case _:
            return ()


POLICY = Policy(
    kind="term_end",
    rule="R3",
    listens_to=frozenset(
        {ContractStarted, ContractRenewed, ContractExpired, Cancelled, ContractWithdrawn, ContractAnnulled}
    ),
    react=react,
)
