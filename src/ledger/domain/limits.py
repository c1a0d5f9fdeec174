"""What a contract's limits hold, as claims see it: neutral ground of both aggregates (I1, I8, D14)."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from ledger.domain.codes import Guarantee


@dataclass(frozen=True, slots=True)
class Usage:
    """What is consumed and reserved of one guarantee in one insurance year."""

    insurance_year: int
    guarantee: Guarantee
    amount_consumed_cents: int = 0
    amount_reserved_cents: int = 0
    count_consumed: int = 0
    count_reserved: int = 0


@dataclass(frozen=True, slots=True)
class Holding:
    """What one claim has consumed, or reserved, in one insurance year of its contract."""

    insurance_year: int
    amount_cents: int
    count: int


@dataclass(frozen=True, slots=True)
class LimitChange:
    """What a claim's decision does to the limits of a contract: one contract event, not yet made."""

    contract: str
    action: Literal["reserve", "release", "consume", "reverse"]
    holding: Holding
    effective_on: date | None = None
    """None: the date of the command's `at`; a correction takes the date of what it corrects."""
    accepted: bool = False
    """True where an acceptance consumes; a failed rescue consumes without one (Q11)."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A claim is registered with a contract, or taken off it."""

    contract: str
    present: bool
    effective_on: date
