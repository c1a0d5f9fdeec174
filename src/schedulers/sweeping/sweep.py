"""Letting time act on the streams that nobody touches.

What time owes a stream is computed by the ledger (`bring_up_to`) and recorded once, by the stream's own
version: a sweep that is broken off, run twice, or run by two programs at once does nothing twice, and no
result depends on when or in which portions it ran. The diary only says which streams, and when.
"""

from collections.abc import Callable
from datetime import datetime
from threading import Event as StopEvent
from typing import TYPE_CHECKING

from schedulers.diary.follower import NAME as DIARY
from schedulers.diary.queries import count_due, due_by

if TYPE_CHECKING:
    from ledger.wiring import Wiring

PORTION = 200
"""Streams brought up to date by one commit."""

Report = Callable[[int, int], None]
"""Told how many streams have been brought up to date, and how many there are."""


def sweep(
    wiring: "Wiring",
    until: datetime,
    *,
    report: Report = lambda _done, _of: None,
    stop: StopEvent | None = None,
) -> int:
    """Bring every stream whose time has come by `until`, inclusive, up to date; number of events recorded.

    `stop`: leave off after the portion at hand.
    Raises ImportOpen while an import holds the book.
    """
    wiring.catch_up(DIARY)
    with wiring.pool.connection() as connection:
        due_now = count_due(connection, wiring.book, until)
    recorded, done, last = 0, 0, None
    while stop is None or not stop.is_set():
        with wiring.pool.connection() as connection:
            portion = due_by(connection, wiring.book, until, last, PORTION)
        if not portion:
            break
        recorded += wiring.ledger.bring_up_to([entry.stream for entry in portion], until)
        last, done = portion[-1], done + len(portion)
        report(done, max(done, due_now))
    if recorded:
        wiring.catch_up(DIARY)
    return recorded
