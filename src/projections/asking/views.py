"""All views of the read side, by name."""

from collections.abc import Mapping
from typing import Any

from projections.claims.fold import CLAIMS
from projections.complaints.fold import COMPLAINTS
from projections.contracts.fold import CONTRACTS
from projections.due.fold import DUE
from projections.folding.view import View
from projections.limits.fold import LIMITS

VIEWS: Mapping[str, View[Any]] = {view.name: view for view in (LIMITS, DUE, CONTRACTS, CLAIMS, COMPLAINTS)}
