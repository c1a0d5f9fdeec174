"""What a decision on a claim comes to, on the claim and on contracts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ledger.domain.claim.events import ClaimEvent
from ledger.domain.limits import LimitChange, Registration


@dataclass(frozen=True, slots=True)
class Outcome:
    """One event of the claim with its effective date, and what goes with it on contracts, in order."""

    event: ClaimEvent
    effective_on: date
    limits: Sequence[LimitChange] = ()
    registrations: Sequence[Registration] = ()
