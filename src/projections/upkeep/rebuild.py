"""Building a view anew: its rows of the book are dropped with its checkpoint, the feed is folded again."""

from collections.abc import Callable
from typing import Any

from ledger.feed.followers import FollowerRunner
from ledger.store.checkpoints import lock_checkpoint, move_checkpoint
from ledger.store.pool import Pool
from projections.asking.positions import NOTHING
from projections.folding.follower import ViewFollower
from projections.folding.view import View

CHUNK = 2000
"""Positions between two reports of progress."""

FORGET_PARKED = "delete from ledger.parked where book = %s and follower = %s"
FORGET = "delete from projections.remembered where book = %s and view = %s"


def drop(pool: Pool, book: str, view: View[Any]) -> None:
    """Drop a view's rows, memory, parked events and checkpoint of one book, in one transaction.

    Whoever follows for the view at the moment is waited for: the checkpoint's row is locked first.
    """
    with pool.transaction() as connection, connection.cursor() as cursor:
        lock_checkpoint(connection, book, view.name)
        cursor.execute(f"delete from {view.table.name} where book = %s", (book,))  # noqa: S608  # a constant name
        cursor.execute(FORGET, (book, view.name))
        cursor.execute(FORGET_PARKED, (book, view.name))
        move_checkpoint(connection, book, view.name, NOTHING)


def rebuild(pool: Pool, book: str, view: View[Any], report: Callable[[int], None] = lambda _: None) -> int:
    """Build one view anew and give the number of positions folded; `report` is told how many more."""
    drop(pool, book, view)
    runner = FollowerRunner(pool, book, ViewFollower(view, book), batch=CHUNK)
    folded = 0
    while passed := runner.catch_up(CHUNK):
        folded += passed
        report(passed)
    return folded
