"""R13: a contract's persons may be erased ten years after its end and the last payment on its claims.

Unlike the other policies it looks at several streams, a contract's and its claims', and time does nothing by
itself at its date: an erasure is proposed to a person, who confirms it. So its row is no part of a stream's
state; whoever wants it folds it from the events of the contract and its claims, in order of recording.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from ledger.domain.calendar import add_months, brussels_date, roll_back, roll_forward
from ledger.domain.claim.events import (
    ClaimMoved,
    ClaimOpened,
    ClaimSubjectErased,
    RecoveryReceived,
    RefundIssued,
)
from ledger.domain.contract.events import (
    Cancelled,
    ContractAnnulled,
    ContractExpired,
    ContractStarted,
    ContractSubjectErased,
    ContractWithdrawn,
)
from ledger.domain.deadlines import Deadline
from ledger.domain.event import Event, RecordedEvent
from ledger.domain.identifiers import contract_ref
from ledger.domain.terms import load_terms

MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class KeptContract:
    """What decides how long the records of a contract are kept."""

    contract: str
    person: str
    """The policyholder."""
    years: int
    """By the terms, from the end and the last payment on."""
    ended_on: date | None = None
    paid_on: date | None = None
    """Brussels date of the last payment, out or in, on any of its claims; one that failed counts too."""
    erased: bool = False
    """True once the policyholder's key is destroyed."""


@dataclass(frozen=True, slots=True)
class KeptClaim:
    """What a claim adds to how long its contract's records are kept."""

    contract: str
    person: str
    """The victim."""
    paid_on: date | None = None
    erased: bool = False
    """True once the victim's key is destroyed."""


def keep_contract(kept: KeptContract | None, recorded: RecordedEvent) -> KeptContract | None:
    """Fold one event of a contract's stream; None before its start."""
    event = recorded.event
    if isinstance(event, ContractStarted):
        years = load_terms(event.product, event.terms).periods.retention_years
        return KeptContract(recorded.stream.number, event.policyholder.person, years)
    if kept is None:
        return None
    match event:
        case Cancelled(effective_on=end) | ContractExpired(ends_on=end) | ContractWithdrawn(ends_on=end):
            return replace(kept, ended_on=end)
        case ContractAnnulled():
            # There never was any cover: the records are those of its annulment.
            return replace(kept, ended_on=brussels_date(recorded.at))
        case ContractSubjectErased():
            return replace(kept, erased=True)
        case _:
            return kept


def keep_claim(kept: KeptClaim | None, recorded: RecordedEvent) -> KeptClaim | None:
    """Fold one event of a claim's stream; None before its opening."""
    event = recorded.event
    if isinstance(event, ClaimOpened):
        return KeptClaim(event.contract, event.victim.person)
    if kept is None:
        return None
    match event:
        case RefundIssued() | RecoveryReceived():
            return replace(kept, paid_on=_later(kept.paid_on, recorded.effective_on))
        case ClaimMoved(contract=contract):
            return replace(kept, contract=contract)
        case ClaimSubjectErased():
            return replace(kept, erased=True)
        case _:
            return kept


def paid(kept: KeptContract, claim: KeptClaim) -> KeptContract:
    """Note on a contract the payments on a claim that belongs to it now."""
    return replace(kept, paid_on=_later(kept.paid_on, claim.paid_on))


def retention(kept: KeptContract) -> Deadline | None:
    """Return the row of an ended contract, None of one that runs: met once the policyholder is erased.

    The day of an erasure stands in no event's dates, so that `met_on` stays empty.
    """
    if kept.ended_on is None:
        return None
    since = kept.ended_on if kept.paid_on is None else max(kept.ended_on, kept.paid_on)
    raw = add_months(since, MONTHS_A_YEAR * kept.years)
    status: Literal["met", "open"] = "met" if kept.erased else "open"
    subject = contract_ref(kept.contract)
    return Deadline(subject, "retention", "R13", 1, raw, roll_forward(raw), roll_back(raw), status)


LISTENED_TO: frozenset[type[Event]] = frozenset(
    {
        ContractStarted,
        Cancelled,
        ContractExpired,
        ContractWithdrawn,
        ContractAnnulled,
        ContractSubjectErased,
        ClaimOpened,
        RefundIssued,
        RecoveryReceived,
        ClaimMoved,
        ClaimSubjectErased,
    }
)
"""The events that move a retention: no other needs to reach who folds it."""


def _later(one: date | None, other: date | None) -> date | None:
    days = [day for day in (one, other) if day is not None]
    return max(days, default=None)
