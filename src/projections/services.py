"""What the read side follows the feed with, and what of it runs within `up`."""

from collections.abc import Callable
from threading import Event as StopEvent
from typing import TYPE_CHECKING, Any

import structlog

from ledger.store.pool import Pool
from ledger.supervision import moved, rest
from projections.maintenance.rebuild import KeptView, rebuild_together
from projections.maintenance.status import changed_views
from projections.runner.follower import ViewFollower
from projections.views.directory import NAME as DIRECTORY
from projections.views.directory import DirectoryFollower
from projections.views.registry import VIEWS

if TYPE_CHECKING:
    from ledger.app import App

Factory = Callable[["App"], ViewFollower[Any]]


def _follower(name: str) -> Factory:
    def factory(wiring: "App") -> ViewFollower[Any]:
        return KeptView(VIEWS[name], wiring.book)

    factory.__doc__ = f"Return the follower that keeps the view `{name}`."
    return factory


def directory(wiring: "App") -> DirectoryFollower:
    """Return the follower that keeps the directory of persons."""
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
