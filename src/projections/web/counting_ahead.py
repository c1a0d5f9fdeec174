"""What pages count over a whole book, counted before anybody asks, and carried on while nobody does.

So the first page after a start, or after a quiet night with an import in it, is as quick as any other.
"""

from datetime import date
from threading import Event as StopEvent
from typing import Final

from ledger.app import App
from ledger.supervision import rest
from projections.web.asked import AskedTime, looking, today_of
from projections.web.figures import count_what_pages_ask

VIEWS: Final = ("contracts", "claims", "complaints", "due", "reserves")
AGAIN_SECONDS: Final = 10.0


def keep_counted(wiring: App, stop: StopEvent) -> None:
    """Count until `stop` is set (group `coverledger.services`)."""
    counted: tuple[int, date] | None = None
    while not stop.is_set():
        with looking(wiring, VIEWS, AskedTime()) as reader:
            standing = (reader.position, today_of(wiring))
            if standing != counted:
                count_what_pages_ask(reader, standing[1])
                counted = standing
        rest(stop, AGAIN_SECONDS)
