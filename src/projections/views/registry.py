"""All views of the read side, by name."""

from collections.abc import Mapping
from typing import Any

from projections.runner.view import View
from projections.views.bordereau import BORDEREAU
from projections.views.claims import CLAIMS
from projections.views.complaints import COMPLAINTS
from projections.views.contracts import CONTRACTS
from projections.views.due import DUE
from projections.views.limits import LIMITS
from projections.views.payments import PAYMENTS
from projections.views.refunds import REFUNDS
from projections.views.reserves import RESERVES
from projections.views.timeline import TIMELINE

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
