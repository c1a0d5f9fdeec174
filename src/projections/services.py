"""What the read side runs within `up` (group `claims_ledger.services`): its views, side by side."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event as StopEvent
from typing import TYPE_CHECKING

import structlog

from projections.asking.views import VIEWS
from projections.directory.follower import NAME as DIRECTORY
from projections.upkeep.rebuild import rebuild_together
from projections.upkeep.standing import changed_views

if TYPE_CHECKING:
    from ledger.wiring import Wiring

_log = structlog.get_logger(__name__)


def keep_views(wiring: "Wiring", stop: StopEvent) -> None:
    """Follow the feed for all views until `stop` is set, over one reading of it.

    Views whose fold has changed with this release are built anew beside what is read, while the others go on;
    then they follow as well. Raises Halted once nobody goes any more.
    """
    with wiring.pool.connection() as connection:
        changed = changed_views(connection, wiring.book)
    going = [name for name in (*VIEWS, DIRECTORY) if name not in changed]
    with ThreadPoolExecutor(2, thread_name_prefix="views") as threads:
        running = [threads.submit(wiring.together(*going).run, stop)]
        if changed:
            running.append(threads.submit(_catch_up_and_follow, wiring, changed, stop))
        for one in running:
            one.result()


def _catch_up_and_follow(wiring: "Wiring", changed: list[str], stop: StopEvent) -> None:
    _log.info("views_rebuilding", book=wiring.book, views=changed)
    for rebuilt in rebuild_together(wiring.pool, wiring.book, [VIEWS[name] for name in changed]):
        _log.info("view_rebuilt", book=wiring.book, view=rebuilt.view, differing=rebuilt.differing)
    wiring.together(*changed).run(stop)
