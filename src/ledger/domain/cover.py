"""What a claim's decision may know of a contract."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ledger.domain.codes import Guarantee
from ledger.domain.dates import term_on
from ledger.domain.limits import Usage
from ledger.domain.terms import Terms


@dataclass(frozen=True, slots=True)
class Cover:
    """The contract-side view that claim decisions take: whose, when, under which terms, and what is used."""

    contract: str
    person: str
    starts_on: date
    ends_on: date
    """The first day without cover as known now."""
    terms: Terms
    usages: Sequence[Usage]

    def includes(self, day: date) -> bool:
        """Say whether a day lies in [S, end) (I4)."""
        return self.starts_on <= day < self.ends_on

    def insurance_year_of(self, day: date) -> int | None:
        """Give the insurance year that a day lies in; None before S (R3)."""
        return term_on(self.starts_on, day, self.terms.periods)

    def usage(self, insurance_year: int, guarantee: Guarantee) -> Usage:
        """Give what is consumed and reserved of a guarantee in an insurance year."""
        for usage in self.usages:
            if usage.insurance_year == insurance_year and usage.guarantee == guarantee:
                return usage
        return Usage(insurance_year, guarantee)
