"""All steps of the letters in turn, as the background and `letters prepare` do them."""

from collections.abc import Callable
from threading import Event as StopEvent
from typing import TYPE_CHECKING, Final

import structlog

from ledger.clock import acts_until, present
from ledger.domain.calendar import brussels_date
from ledger.store.errors import ImportOpen
from ledger.supervision import rest
from schedulers.clockwork import tick
from schedulers.diary.follower import NAME as DIARY
from schedulers.letters.erasing import erase_letters
from schedulers.letters.follower import NAME as LETTERS
from schedulers.letters.handing import hand_over
from schedulers.letters.outfit import carrier_of, shelf_of
from schedulers.letters.queries import count
from schedulers.letters.rendering import LettersNotInstalled, Press
from schedulers.letters.writing import tell_prepared, want_notices, write_letters

if TYPE_CHECKING:
    from ledger.wiring import Wiring

Report = Callable[[int, int], None]

TICK_SECONDS: Final = 60.0
"""Between two looks at what is to be written."""

_log = structlog.get_logger(__name__)


def keep_letters(wiring: "Wiring", stop: StopEvent) -> None:
    """Write and hand over letters until `stop` is set. Nobody writes to the persons of a simulated book."""
    if wiring.book_row().kind == "simulated":
        rest(stop)
        return
    try:
        press = Press()
    except LettersNotInstalled as missing:
        _log.warning("letters_are_not_written", book=wiring.book, do=str(missing))
        rest(stop)
        return

    def turn() -> None:
        if acts_until(wiring.book_row(), wiring.now()) is None:
            return
        try:
            prepare(wiring, press)
            hand(wiring)
        except ImportOpen:
            # An import began meanwhile: it holds the book, and the next tick goes on.
            return

    tick(TICK_SECONDS, turn, stop)


def prepare(
    wiring: "Wiring",
    press: Press,
    *,
    ahead_days: int | None = None,
    report: Report = lambda _done, _of: None,
) -> int:
    """Write all letters that are wanted by the book's present, and say so in the ledger; how many.

    `report` is told how many have been prepared, and how many are wanted.
    """
    wiring.catch_up(DIARY, LETTERS)
    erase_letters(wiring)
    today = brussels_date(present(wiring.book_row(), wiring.now()))
    ahead = wiring.settings.letters_prepare_days if ahead_days is None else ahead_days
    want_notices(wiring, today, ahead)
    with wiring.pool.connection() as connection:
        wanted = count(connection, wiring.book, "wanted")
    shelf, prepared = shelf_of(wiring), 0
    report(0, wanted)
    while write_letters(wiring, press, shelf, today):
        prepared += tell_all_prepared(wiring)
        report(prepared, max(prepared, wanted))
    return prepared + tell_all_prepared(wiring)


def hand(wiring: "Wiring", *, ahead_days: int | None = None) -> int:
    """Hand over all letters that are prepared and near enough to their day; how many."""
    carrier = carrier_of(wiring)
    if carrier is None:
        return 0
    today = brussels_date(present(wiring.book_row(), wiring.now()))
    ahead = wiring.settings.letters_hand_over_days if ahead_days is None else ahead_days
    return hand_over(wiring, carrier, shelf_of(wiring), today, ahead)


def tell_all_prepared(wiring: "Wiring") -> int:
    """Say in the ledger that all letters that are written are prepared; how many."""
    told = 0
    while portion := tell_prepared(wiring):
        told += portion
    return told
