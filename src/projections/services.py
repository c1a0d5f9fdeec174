"""What the read side runs within `up`: every view follows the feed."""

from threading import Event as StopEvent
from threading import Thread
from typing import TYPE_CHECKING

from projections.asking.views import VIEWS

if TYPE_CHECKING:
    from ledger.wiring import Wiring


def keep_views(wiring: "Wiring", stop: StopEvent) -> None:
    """Follow the feed for every view, each in a thread of its own, until `stop` is set."""
    threads = [
        Thread(target=wiring.runner(name).run, args=(stop,), name=f"view {name}", daemon=True)
        for name in VIEWS
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
