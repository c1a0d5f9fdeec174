"""What each list may be narrowed down to: declared once, for the command line, HTTP and the site."""

from collections.abc import Mapping
from typing import Final, get_args

from ledger.domain.codes import (
    GUARANTEES,
    ClaimStatus,
    ComplaintStatus,
    ContractStatus,
    DeadlineKind,
    DeadlineStatus,
)

CONTRACT_STATUSES: Final[tuple[str, ...]] = get_args(ContractStatus)
CLAIM_STATUSES: Final[tuple[str, ...]] = get_args(ClaimStatus)
COMPLAINT_STATUSES: Final[tuple[str, ...]] = get_args(ComplaintStatus)
DUE_KINDS: Final[tuple[str, ...]] = get_args(DeadlineKind)
DUE_STATUSES: Final[tuple[str, ...]] = get_args(DeadlineStatus)

STEPS: Final = (
    "notify",
    "identify",
    "advise",
    "assist",
    "decide",
    "refund",
    "recover",
    "correct",
    "close",
    "erase",
)
"""Of the timeline."""

FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "contracts": ("status", "before"),
    "claims": ("contract", "guarantee", "status", "before"),
    "complaints": ("contract", "claim", "status", "before"),
    "limits": ("contract", "claim", "guarantee", "status", "before"),
    "due": ("contract", "claim", "guarantee", "from", "before", "status", "kind"),
    "refunds": ("contract", "claim", "guarantee", "before", "status"),
    "payments": ("contract", "claim", "guarantee", "since", "before"),
    "recoveries": ("contract", "claim", "guarantee", "before", "status"),
    "timeline": ("contract", "claim", "guarantee", "before", "step"),
    "bordereau": ("month", "contract", "guarantee", "status", "every"),
    "guarantees": ("guarantee", "year"),
}
"""List or report → its filters."""

_STATUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "contracts": CONTRACT_STATUSES,
    "claims": CLAIM_STATUSES,
    "complaints": COMPLAINT_STATUSES,
    "limits": CONTRACT_STATUSES,
    "due": DUE_STATUSES,
    "refunds": DUE_STATUSES,
    "recoveries": CLAIM_STATUSES,
    "bordereau": CLAIM_STATUSES,
}
"""Of limits, those of the contract."""


def choices_of(listed: str, name: str) -> tuple[str, ...]:
    """Return the values that a list's filter takes; none: any."""
    match name:
        case "status":
            return _STATUSES[listed]
        case "guarantee":
            return GUARANTEES
        case "kind":
            return DUE_KINDS
        case "step":
            return STEPS
        case _:
            return ()
