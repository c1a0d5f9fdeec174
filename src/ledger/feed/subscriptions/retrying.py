"""When an event that was not taken is tried again: soon, then ever less often, for three days. Pure."""

from datetime import datetime, timedelta
from typing import Final

from ledger.feed.subscriptions.pace import LONGEST_ASKED_FOR

FIRST_WAIT: Final = timedelta(seconds=5)
LONGEST_WAIT: Final = timedelta(hours=2)
LAST_TRY: Final = timedelta(days=3)
"""After the first failure: the last try, after which an event is parked."""


def next_try(
    tries: int, failed_at: datetime, now: datetime, asked_for: timedelta | None = None
) -> datetime | None:
    """Say when an event is tried again that failed `tries` times, first at `failed_at` and last at `now`.

    The wait doubles from five seconds to two hours; a receiver may ask for a longer one, of a day at most.
    The last try is three days after the first failure, or when the receiver asked for it; None: that was it.
    """
    last = failed_at + LAST_TRY
    if now >= last:
        return None
    doublings = min(tries - 1, 30)  # more overflow, and the longest wait is reached long before
    wait: timedelta = min(FIRST_WAIT * 2**doublings, LONGEST_WAIT)
    due = min(now + wait, last)
    return due if asked_for is None else max(due, now + min(asked_for, LONGEST_ASKED_FOR))
