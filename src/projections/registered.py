"""What the read side has to follow the feed (group `coverledger.followers`): its views, its directory."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from projections.asking.views import VIEWS
from projections.directory.follower import DirectoryFollower
from projections.folding.follower import ViewFollower
from projections.upkeep.keeping import KeptView

if TYPE_CHECKING:
    from ledger.app import App

Factory = Callable[["App"], ViewFollower[Any]]


def _follower(name: str) -> Factory:
    def factory(wiring: "App") -> ViewFollower[Any]:
        return KeptView(VIEWS[name], wiring.book)

    factory.__doc__ = f"Give the follower that keeps the view `{name}`."
    return factory


def directory(wiring: "App") -> DirectoryFollower:
    """Give the follower that keeps the directory of persons."""
    return DirectoryFollower(lambda: wiring.store, wiring.book)


limits = _follower("limits")
due = _follower("due")
contracts = _follower("contracts")
claims = _follower("claims")
complaints = _follower("complaints")
refunds = _follower("refunds")
payments = _follower("payments")
reserves = _follower("reserves")
timeline = _follower("timeline")
bordereau = _follower("bordereau")
