"""What the read side runs within `up` (group `claims_ledger.services`): each view follows the feed."""

from collections.abc import Callable
from threading import Event as StopEvent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.wiring import Wiring

Serve = Callable[["Wiring", StopEvent], None]


def _keep(name: str) -> Serve:
    def keep(wiring: "Wiring", stop: StopEvent) -> None:
        wiring.runner(name).run(stop)

    keep.__doc__ = f"Follow the feed for the view `{name}` until `stop` is set."
    return keep


keep_limits = _keep("limits")
keep_due = _keep("due")
keep_contracts = _keep("contracts")
keep_claims = _keep("claims")
keep_complaints = _keep("complaints")
