"""All steps of the letters in turn, as the background does them, and their removal with a person erased."""

from collections.abc import Callable
from threading import Event as StopEvent
from typing import TYPE_CHECKING, Final

import structlog

from ledger.attempts import Attempts
from ledger.clock import acts_until, present
from ledger.domain.calendar import brussels_date
from ledger.store.errors import ImportOpen
from ledger.supervision import rest
from schedulers.agenda import NAME as DIARY
from schedulers.letters.config import carrier_of, store_of
from schedulers.letters.handover import hand_over
from schedulers.letters.pdf import LACKS_CHARACTERS, LettersNotInstalled, Press
from schedulers.letters.queries import NAME as LETTERS
from schedulers.letters.queries import WORKER, Letter, change, claim_one, free_letters, of_erased, try_again
from schedulers.letters.writer import prepare_letter, want_notices
from schedulers.ticker import tick

if TYPE_CHECKING:
    from ledger.app import App

ERASURE_WORKER: Final = "erasures"
"""Whoever removes the files of erased letters, where failed tries are shown."""
ERASED = "its addressee was erased"


def erase_letters(wiring: "App") -> int:
    """Remove every letter to a person who was erased; how many files.

    The key that opens the sealed ones is gone already. Done again, it does nothing.
    """
    store, carrier, removed = store_of(wiring), carrier_of(wiring), 0
    with wiring.pool.connection() as connection:
        gone = of_erased(connection, wiring.book)

    def erase(reference: str) -> None:
        nonlocal removed
        with wiring.pool.transaction() as connection:
            letter = claim_one(
                connection, wiring.book, reference
            )  # Whoever writes it just now is done first.
            if letter is None:
                return
            removed += letter.sha256 is not None and store.remove(letter.sha256)
            if carrier is not None:
                removed += carrier.take_back([reference])
            change(connection, wiring.book, [reference], status="erased", told=ERASED, tracking=None)

    attempts = Attempts(wiring.pool, wiring.book, ERASURE_WORKER)
    attempts.each([letter.reference for letter in gone], erase, key=str)
    return removed


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
    store, prepared = store_of(wiring), 0
    report(0, len(wanted))

    def prepare_one(letter: Letter) -> None:
        nonlocal prepared
        prepared += prepare_letter(wiring, press, store, today, letter)
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
    return hand_over(wiring, carrier, store_of(wiring), today, ahead)
