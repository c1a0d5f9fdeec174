"""What the read side registers with the ledger's program through entry points (group `claims_ledger.followers`)."""

from typing import TYPE_CHECKING, Any

from projections.asking.views import VIEWS
from projections.folding.follower import ViewFollower

if TYPE_CHECKING:
    from ledger.wiring import Wiring


def limits(wiring: "Wiring") -> ViewFollower[Any]:
    """Give the follower that keeps the limits."""
    return _follower("limits", wiring)


def due(wiring: "Wiring") -> ViewFollower[Any]:
    """Give the follower that keeps what is due."""
    return _follower("due", wiring)


def contracts(wiring: "Wiring") -> ViewFollower[Any]:
    """Give the follower that keeps the register of contracts."""
    return _follower("contracts", wiring)


def claims(wiring: "Wiring") -> ViewFollower[Any]:
    """Give the follower that keeps the register of claims."""
    return _follower("claims", wiring)


def complaints(wiring: "Wiring") -> ViewFollower[Any]:
    """Give the follower that keeps the register of complaints."""
    return _follower("complaints", wiring)


def _follower(name: str, wiring: "Wiring") -> ViewFollower[Any]:
    return ViewFollower(VIEWS[name], wiring.book)
