"""All views of the read side, by name."""

from collections.abc import Mapping
from typing import Any

from projections.bordereau.fold import BORDEREAU
from projections.claims.fold import CLAIMS
from projections.complaints.fold import COMPLAINTS
from projections.contracts.fold import CONTRACTS
from projections.due.fold import DUE
from projections.folding.view import View
from projections.limits.fold import LIMITS
from projections.payments.fold import PAYMENTS
from projections.refunds.fold import REFUNDS
from projections.reserves.fold import RESERVES
from projections.timeline.fold import TIMELINE

VIEWS: Mapping[str, View[Any]] = {
    view.name: view
    for view in (
        LIMITS,
        DUE,
        CONTRACTS,
        CLAIMS,
        COMPLAINTS,
        REFUNDS,
        PAYMENTS,
        RESERVES,
        TIMELINE,
        BORDEREAU,
    )
}
