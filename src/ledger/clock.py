"""The only place that reads a clock, and what a book's own clock says.

A real book lives in the database's time. A simulated book stands still at its virtual instant until an
import, a sweep or a command with a later `at` moves it. A real book into which a past was imported
`--until` a day may be held there: time does not act by itself until somebody lives in the book again.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from ledger.domain.dispatch import State
from ledger.domain.refusals import FieldFault, Invalid
from ledger.errors import ClockBehind
from ledger.store.load import BookRow

BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
"""Virtual instant of a simulated book in which nothing has happened yet: its first command sets its clock."""

LARGEST_STEP_BACK = timedelta(seconds=5)
"""By which a clock may be set back while commands that name no instant are still taken."""


def machine_now() -> datetime:
    """Instant by this machine's own clock, UTC. The ledger records the database's time, not this."""
    return datetime.now(UTC)


def present(book: BookRow, now: datetime) -> datetime:
    """Instant at which a command that names none happens. `now`: the database's time, UTC."""
    if book.clock_at is not None and book.clock_at != BEGINNING:
        return book.clock_at
    return now


def acts_until(book: BookRow, now: datetime) -> datetime | None:
    """How far a sweep in the background may bring the book; None: time waits (import open, book held)."""
    if book.open_import is not None or book.held_at is not None:
        return None
    if book.kind == "simulated":
        return book.clock_at
    return now


def instant_of(
    given: datetime | None,
    book: BookRow,
    now: datetime,
    *,
    may_backdate: bool,
    streams: Iterable[State | None] = (),
) -> datetime:
    """Settle the instant of a command: the one that it names, or the book's present.

    `streams`: what the command needs, as loaded; an instant that nobody named is not before their last `at`.

    Raises:
        Invalid: a future in a real book, or a past without the right to import.
        ClockBehind: the clock was set back further than `LARGEST_STEP_BACK` behind one of the streams.

    """
    today = present(book, now)
    if given is None:
        return _no_earlier_than(streams, today, book)
    at = given.astimezone(UTC)
    if at > today and book.kind == "real":
        text = f"{at.isoformat()} lies in the future: leave `at` out, or send the command when it is time"
        raise Invalid(FieldFault("at", "NOT_TAKEN", text))
    if at < today and not may_backdate:
        text = f"{at.isoformat()} lies in the past, which needs the right to import: leave `at` out"
        raise Invalid(FieldFault("at", "NOT_TAKEN", text))
    return at


def _no_earlier_than(streams: Iterable[State | None], today: datetime, book: BookRow) -> datetime:
    """Return the present, or a stream's last `at` where the clock has not come that far again."""
    newest = max(
        (state for state in streams if state is not None), key=lambda state: state.last_at, default=None
    )
    if newest is None or newest.last_at <= today:
        return today
    # A simulated book's clock follows its commands, one by one: it is no clock that could be wrong.
    if book.kind == "real" and newest.last_at - today > LARGEST_STEP_BACK:
        behind = (newest.last_at - today).total_seconds()
        message = (
            f"The database's clock stands {behind:,.0f} s before the last event of {newest.ref.name}: "
            "nothing is recorded before it; set the clock right (NTP), or wait, and send the command again."
        )
        raise ClockBehind(message)
    return newest.last_at
