"""A program that follows the feed for all views in small batches, until somebody kills it.

`python follow_views.py DSN BOOK BATCH`
"""

import sys
from threading import Event as StopEvent

from ledger.feed.followers import FollowerRunner
from ledger.feed.together import FollowersTogether
from ledger.store.pool import Pool
from projections.asking.views import VIEWS
from projections.folding.follower import ViewFollower


def follow(dsn: str, book: str, batch: int) -> None:
    with Pool(dsn, size=4) as pool:
        runners = [FollowerRunner(pool, book, ViewFollower(view, book)) for view in VIEWS.values()]
        sys.stdout.write("following\n")
        sys.stdout.flush()
        FollowersTogether(pool, book, runners, batch=batch).run(StopEvent())


if __name__ == "__main__":
    follow(sys.argv[1], sys.argv[2], int(sys.argv[3]))
