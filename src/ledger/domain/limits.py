"""What a contract's limits hold, and what else a decision may know of a contract (I1, I8, D14)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from ledger.domain.calendar import brussels_date, term_on
from ledger.domain.codes import Guarantee
from ledger.domain.terms import Terms


@dataclass(frozen=True, slots=True)
class LimitUsage:
    """What is consumed and reserved of one guarantee in one insurance year."""

    insurance_year: int
    guarantee: Guarantee
    amount_consumed_cents: int = 0
    amount_reserved_cents: int = 0
    count_consumed: int = 0
    count_reserved: int = 0


@dataclass(frozen=True, slots=True)
class LimitUse:
    """What one claim has consumed, or reserved, in one insurance year of its contract."""

    insurance_year: int
    amount_cents: int
    count: int


@dataclass(frozen=True, slots=True)
class LimitChange:
    """What a claim's decision does to the limits of a contract: one contract event, not yet made."""

    contract: str
    action: Literal["reserve", "release", "consume", "reverse"]
    holding: LimitUse
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


@dataclass(frozen=True, slots=True)
class Cover:
    """The contract-side view that claim decisions take: whose, when, under which terms, and what is used."""

    contract: str
    person: str
    starts_on: date
    ends_on: date
    """The first day without cover as known now."""
    terms: Terms
    usages: Sequence[LimitUsage]

    def includes(self, day: date) -> bool:
        """Return whether a day lies in [S, end) (I4)."""
        return self.starts_on <= day < self.ends_on

    def insurance_year_of(self, day: date) -> int | None:
        """Return the insurance year that a day lies in; None before S (R3)."""
        return term_on(self.starts_on, day, self.terms.periods)

    def usage(self, insurance_year: int, guarantee: Guarantee) -> LimitUsage:
        """Return what is consumed and reserved of a guarantee in an insurance year."""
        for usage in self.usages:
            if usage.insurance_year == insurance_year and usage.guarantee == guarantee:
                return usage
        return LimitUsage(insurance_year, guarantee)


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision knows beside its own aggregate, loaded by whoever asks for it."""

    at: datetime
    """The instant (UTC) at which the command is decided; every stream stands as of it."""
    cover: Cover | None = None
    """Of the contract that the command names, or that its claim stands on; None: there is none."""
    other: Cover | None = None
    """Of the contract that a claim is to be moved to; None: there is none."""
    claim_exists: bool = True
    """Whether the claim is there that a complaint is about."""

    @property
    def today(self) -> date:
        """The Brussels date of `at` (R1)."""
        return brussels_date(self.at)
