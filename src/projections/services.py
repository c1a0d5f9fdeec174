"""What the read side runs within `up` (group `claims_ledger.services`): its views, side by side."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event as StopEvent
from typing import TYPE_CHECKING

import structlog

from ledger.store.patience import Backoff, is_transient
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
    then they follow as well. Raises what ended one of them, once the others have ended too.
    """
    with wiring.pool.connection() as connection:
        changed = changed_views(connection, wiring.book)
    going = [name for name in (*VIEWS, DIRECTORY) if name not in changed]
    with ThreadPoolExecutor(2, thread_name_prefix="views") as threads:
        running = [threads.submit(wiring.together(*going).run, stop)]
        if changed:
            running.append(threads.submit(_catch_up_and_follow, wiring, changed, stop))
        for ended in as_completed(running):
            if (error := ended.exception()) is not None:
                _log.error("views_stopped", book=wiring.book, error=str(error))
    for ended in running:
        ended.result()


def _catch_up_and_follow(wiring: "Wiring", changed: Sequence[str], stop: StopEvent) -> None:
    _log.info("views_rebuilding", book=wiring.book, views=changed)
    backoff = Backoff()
    while not stop.is_set():
        try:
            rebuilt = rebuild_together(wiring.pool, wiring.book, [VIEWS[name] for name in changed])
        except Exception as error:
            if not is_transient(error):
                raise
            _log.warning("rebuilding_delayed", book=wiring.book, error=str(error))
            backoff.wait(stop)
            continue
        for one in rebuilt:
            _log.info("view_rebuilt", book=wiring.book, view=one.view, differing=one.differing)
        wiring.together(*changed).run(stop)
