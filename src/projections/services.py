"""What the read side runs within `up` (group `claims_ledger.services`): its views, side by side."""

from threading import Event as StopEvent
from typing import TYPE_CHECKING

from projections.asking.views import VIEWS
from projections.directory.follower import NAME as DIRECTORY

if TYPE_CHECKING:
    from ledger.wiring import Wiring


def keep_views(wiring: "Wiring", stop: StopEvent) -> None:
    """Follow the feed for all views until `stop` is set. One whose fold has changed is built anew first."""
    wiring.together(*VIEWS, DIRECTORY).run(stop)
