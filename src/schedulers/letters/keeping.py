"""All steps of the letters in turn, as the background and `letters prepare` do them."""

from collections.abc import Callable
from threading import Event as StopEvent
from typing import TYPE_CHECKING, Final

import structlog

from ledger.attempts import Attempts
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
from schedulers.letters.queries import WORKER, Letter, free_letters, try_again
from schedulers.letters.rendering import LACKS_CHARACTERS, LettersNotInstalled, Press
from schedulers.letters.writing import prepare_letter, want_notices

if TYPE_CHECKING:
    from ledger.app import App

Report = Callable[[int, int], None]

TICK_SECONDS: Final = 30.0
"""Between two looks at what is to be written."""

_log = structlog.get_logger(__name__)


def keep_letters(wiring: "App", stop: StopEvent) -> None:
    """Write and hand over letters until `stop` is set. Nobody writes to the persons of a simulated book."""
    if wiring.book_row().kind == "simulated":
        rest(stop)
        return
    try:
        press = Press(wiring.settings.letters_fonts)
    except LettersNotInstalled as missing:
        _log.warning("letters_are_not_written", book=wiring.book, do=str(missing))
        rest(stop)
        return

    if wiring.settings.letters_fonts is not None:
        with wiring.pool.connection() as connection:
            try_again(connection, wiring.book, LACKS_CHARACTERS)

    def turn() -> None:
        if acts_until(wiring.book_row(), wiring.now()) is None:
            return
        try:
            try:
                prepare(wiring, press)
            finally:
                hand(wiring)  # What is prepared goes, also where nothing can be written just now.
        except ImportOpen:
            # An import began meanwhile: it holds the book, and the next tick goes on.
            return

    tick(TICK_SECONDS, turn, stop)


def prepare(
    wiring: "App",
    press: Press,
    *,
    ahead_days: int | None = None,
    report: Report = lambda _done, _of: None,
) -> int:
    """Write all letters that are wanted by the book's present, and say so in the ledger; how many.

    Each is written alone: one that cannot be waits with its remark, and keeps no other from being written.
    `report` is told how many have been prepared, and how many are wanted.
    """
    wiring.catch_up(DIARY, LETTERS)
    today = brussels_date(present(wiring.book_row(), wiring.now()))
    ahead = wiring.settings.letters_prepare_days if ahead_days is None else ahead_days
    want_notices(wiring, today, ahead)
    with wiring.pool.connection() as connection:
        wanted = free_letters(connection, wiring.book, ("wanted", "written"))
    shelf, prepared = shelf_of(wiring), 0
    report(0, len(wanted))

    def prepare_one(letter: Letter) -> None:
        nonlocal prepared
        prepared += prepare_letter(wiring, press, shelf, today, letter)
        report(prepared, len(wanted))

    attempts = Attempts(wiring.pool, wiring.book, WORKER)
    attempts.each(wanted, prepare_one, key=lambda letter: letter.reference)
    erase_letters(wiring)
    return prepared


def hand(wiring: "App", *, ahead_days: int | None = None) -> int:
    """Hand over all letters that are prepared and near enough to their day; how many."""
    carrier = carrier_of(wiring)
    if carrier is None:
        return 0
    today = brussels_date(present(wiring.book_row(), wiring.now()))
    ahead = wiring.settings.letters_hand_over_days if ahead_days is None else ahead_days
    return hand_over(wiring, carrier, shelf_of(wiring), today, ahead)
