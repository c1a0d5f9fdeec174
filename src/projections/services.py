"""What of the read side runs within `up`."""

from datetime import date
from threading import Event as StopEvent
from typing import TYPE_CHECKING, Final

import structlog

from ledger.store.pool import Pool
from ledger.supervision import moved, rest
from projections.maintenance.rebuild import rebuild_together
from projections.maintenance.status import changed_views
from projections.queries.cached_counts import count_what_pages_ask
from projections.views.directory import NAME as DIRECTORY
from projections.views.registry import VIEWS
from projections.web.time_params import AskedTime, looking, today_of

if TYPE_CHECKING:
    from ledger.app import App

_log = structlog.get_logger(__name__)


def keep_views(wiring: "App", stop: StopEvent) -> None:
    """Follow the feed for all views until `stop` is set, over one reading of it.

    Those whose fold has changed with this release are left to `rebuild_views`.
    """
    with wiring.pool.connection() as connection:
        changed = changed_views(connection, wiring.book)
    wiring.together(*(name for name in (*VIEWS, DIRECTORY) if name not in changed)).run(stop)


def rebuild_views(wiring: "App", stop: StopEvent) -> None:
    """Build views anew whose fold has changed with this release, and follow for them until `stop` is set.

    They are built beside what is read, in statements that may take their time.
    """
    with wiring.pool.connection() as connection:
        changed = changed_views(connection, wiring.book)
    if not changed:
        rest(stop)
        return
    _log.info("views_rebuilding", book=wiring.book, views=changed)
    with Pool(wiring.pool.dsn, name="coverledger rebuilding") as patient:
        rebuilt = rebuild_together(patient, wiring.book, [VIEWS[name] for name in changed], lambda _: moved())
    for one in rebuilt:
        _log.info("view_rebuilt", book=wiring.book, view=one.view, differing=one.differing)
    wiring.together(*changed).run(stop)


COUNTED_VIEWS: Final = ("contracts", "claims", "complaints", "due", "reserves")
COUNT_AGAIN_SECONDS: Final = 10.0


def keep_counted(wiring: "App", stop: StopEvent) -> None:
    """Count what pages ask, ahead of them, until `stop` is set."""
    counted: tuple[int, date] | None = None
    while not stop.is_set():
        with looking(wiring, COUNTED_VIEWS, AskedTime()) as reader:
            standing = (reader.position, today_of(wiring))
            if standing != counted:
                count_what_pages_ask(reader, standing[1])
                counted = standing
        rest(stop, COUNT_AGAIN_SECONDS)
