"""Letters to persons who were erased: their files go, sealed or still to be fetched; their hashes stay."""

from typing import TYPE_CHECKING, Final

from ledger.attempts import Attempts
from schedulers.letters.outfit import carrier_of, shelf_of
from schedulers.letters.queries import change, claim_one, of_erased

if TYPE_CHECKING:
    from ledger.app import App

WORKER: Final = "erasures"
"""Whoever removes the files of erased letters, where failed tries are shown."""
ERASED = "its addressee was erased"


def erase_letters(wiring: "App") -> int:
    """Remove every letter to a person who was erased; how many files (group `coverledger.erasures`).

    The key that opens the sealed ones is gone already. Done again, it does nothing.
    """
    shelf, carrier, removed = shelf_of(wiring), carrier_of(wiring), 0
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
            removed += letter.sha256 is not None and shelf.remove(letter.sha256)
            if carrier is not None:
                removed += carrier.take_back([reference])
            change(connection, wiring.book, [reference], status="erased", told=ERASED, tracking=None)

    attempts = Attempts(wiring.pool, wiring.book, WORKER)
    attempts.each([letter.reference for letter in gone], erase, key=str)
    return removed
