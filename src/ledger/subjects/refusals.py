"""Why nothing was done about a person: one line each, that says what to do next."""

from collections.abc import Sequence
from typing import ClassVar

from ledger.endings import Refused


class SubjectRefused(Refused):
    """What was asked about a person's data is refused; nothing was changed."""

    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        """Lead with the code, as refusals of commands do."""
        super().__init__(f"{self.code}: {message}")


class PersonUnknown(SubjectRefused):
    """Nothing was ever recorded on the person."""

    code = "UNKNOWN"

    def __init__(self, book: str, person: str) -> None:
        """Name the person that was asked for, by the id that was given."""
        message = f"book {book!r} holds nothing on person {person!r}: see `coverledger subject list`."
        super().__init__(message)


class ContractUnknown(SubjectRefused):
    """There is no such contract to hold."""

    code = "UNKNOWN"

    def __init__(self, book: str, contract: str) -> None:
        """Name the contract that was asked for."""
        message = f"there is no contract {contract!r} in book {book!r}: see `coverledger contract list`."
        super().__init__(message)


class LegalHold(SubjectRefused):
    """A legal hold on a contract that holds the person's data forbids the erasure."""

    code = "LEGAL_HOLD"

    def __init__(self, person: str, contracts: Sequence[str]) -> None:
        """Name the contracts that are held."""
        held = ", ".join(contracts)
        message = (
            f"person {person!r} is not erased, for a legal hold stands on {held}: once the case is over, lift"
            f" it with `coverledger subject lift-hold {contracts[0]} --reason …`, then erase again."
        )
        super().__init__(message)


class HoldStands(SubjectRefused):
    """The contract is held already."""

    code = "HOLD_STANDS"

    def __init__(self, contract: str, since: str, by: str) -> None:
        """Say since when, and by whom."""
        message = (
            f"contract {contract!r} is held since {since} by {by}: it stays held, nothing is to be done."
        )
        super().__init__(message)


class NoHold(SubjectRefused):
    """There is no hold to lift."""

    code = "UNKNOWN"

    def __init__(self, contract: str) -> None:
        """Name the contract that was asked for."""
        super().__init__(f"no hold stands on contract {contract!r}: see `coverledger subject holds`.")
