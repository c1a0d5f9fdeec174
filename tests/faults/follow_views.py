"""A program that follows the feed for all views and the directory in small batches, until somebody kills it.

`python follow_views.py BOOK BATCH`, with the settings in its environment.
"""

import sys
from threading import Event as StopEvent

from coverledger.composition import opened
from ledger.config import Settings
from ledger.feed.follower_group import FollowerGroup
from ledger.feed.followers import FollowerRunner
from projections.views.directory import NAME as DIRECTORY
from projections.views.registry import VIEWS


def follow(book: str, batch: int) -> None:
    with opened(book, Settings.load()) as wiring:
        runners = [FollowerRunner(wiring.pool, book, wiring.followers[name]) for name in (*VIEWS, DIRECTORY)]
        sys.stdout.write("following\n")
        sys.stdout.flush()
        FollowerGroup(wiring.pool, book, runners, batch=batch).run(StopEvent())


if __name__ == "__main__":
    follow(sys.argv[1], int(sys.argv[2]))
