"""The sweep: time acts on every stream whose time has come, also on those that nobody touches.

What time owes a stream is computed by the ledger (`bring_up_to`) and recorded once, by the stream's own
version: a sweep that is broken off, run twice, or run by two programs at once does nothing twice, and no
result depends on when or in which portions it ran. The diary only says which streams, and when.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from operator import attrgetter
from threading import Event as StopEvent
from typing import TYPE_CHECKING, Final

import structlog

from ledger.attempts import Attempts
from ledger.clock import acts_until
from ledger.domain.identifiers import StreamRef
from ledger.store.errors import ImportOpen
from ledger.store.retry import described
from schedulers.agenda import NAME as DIARY
from schedulers.agenda import count_due, due_by, next_due_after

if TYPE_CHECKING:
    from ledger.app import App

PORTION = 200
"""Streams brought up to date by one commit."""

WORKER: Final = "deadlines"
"""What it is called where its failures are shown."""

Report = Callable[[int, int], None]
"""Told how many streams have been brought up to date, and how many there are."""

_log = structlog.get_logger(__name__)


def sweep(
    wiring: "App",
    until: datetime,
    *,
    report: Report = lambda _done, _of: None,
    stop: StopEvent | None = None,
) -> int:
    """Bring every stream whose time has come by `until`, inclusive, up to date; number of events recorded.

    A stream that cannot be brought up to date stops no other: it is tried again by itself, and parked after
    its last try (ledger.attempts, worker `deadlines`). `stop`: leave off after the portion at hand.
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
        recorded += _bring_up_to(wiring, [entry.stream for entry in portion], until)
        last, done = portion[-1], done + len(portion)
        report(done, max(done, due_now))
    if recorded:
        wiring.catch_up(DIARY)
    return recorded


def _bring_up_to(wiring: "App", streams: Sequence[StreamRef], until: datetime) -> int:
    """Bring these streams up to date in one commit, or each by itself where one of them does not let them."""
    attempts = Attempts(wiring.pool, wiring.book, WORKER)
    due = attempts.due(streams, attrgetter("name"))
    try:
        recorded = wiring.ledger.bring_up_to(due, until)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is told of the stream that meets it again
        _log.warning("sweep_stream_by_stream", book=wiring.book, streams=len(due), error=described(error))
        recorded = 0
    else:
        attempts.forget(*(stream.name for stream in due))
        return recorded

    def bring(stream: StreamRef) -> None:
        nonlocal recorded
        recorded += wiring.ledger.bring_up_to([stream], until)

    attempts.each(due, bring, key=attrgetter("name"))
    return recorded


def sweep_to_the_present(wiring: "App", stop: StopEvent | None = None) -> int:
    """Sweep up to the book's present; return the number of events recorded, 0 while time waits.

    Time waits while an import is open, and where an import left the book in the past, until somebody lives
    in it again.
    """
    until = acts_until(wiring.book_row(), wiring.now())
    if until is None:
        return 0
    try:
        return sweep(wiring, until, stop=stop)
    except ImportOpen:
        # An import began meanwhile: it holds the clock, and the next tick finds it.
        return 0


def seconds_to_the_next(wiring: "App") -> float | None:
    """Return in how many seconds, by the database's clock, time will next owe something; None while it waits.

    A simulated book stands still, and so is never waited for.
    """
    book, now = wiring.book_row(), wiring.now()
    if book.kind == "simulated" or acts_until(book, now) is None:
        return None
    with wiring.pool.connection() as connection:
        instant = next_due_after(connection, wiring.book, now)
    return None if instant is None else (instant - now).total_seconds()
