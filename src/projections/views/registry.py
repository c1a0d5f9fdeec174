"""All views of the read side and the lists of their rows, by name: each is named here and nowhere else."""

from collections.abc import Mapping
from typing import Any, Final

from projections.listing import Listing
from projections.runner.view import View
from projections.views import (
    bordereau,
    claims,
    complaints,
    contracts,
    due,
    guarantees,
    limits,
    payments,
    refunds,
    reserves,
    timeline,
)

_ALL: Final[tuple[Listing, ...]] = (
    limits.LISTED,
    due.LISTED,
    contracts.LISTED,
    claims.LISTED,
    complaints.LISTED,
    refunds.LISTED,
    payments.LISTED,
    reserves.LISTED,
    timeline.LISTED,
    bordereau.LISTED,
    guarantees.LISTED,
)

VIEWS: Final[Mapping[str, View[Any]]] = {one.of.name: one.of for one in _ALL if one.of is not None}


def _section(listing: Listing) -> int:
    """Return where a list is shown: the registers first, then what rests on them, then the reports."""
    is_register = listing.order == ("opened_position",)
    return 2 if listing.is_report else int(not is_register)


LISTINGS: Final[Mapping[str, Listing]] = {one.name: one for one in sorted(_ALL, key=_section)}
