"""Letters to persons who were erased: their files go, sealed or still to be fetched; their hashes stay."""

from typing import TYPE_CHECKING

from schedulers.letters.outfit import carrier_of, shelf_of
from schedulers.letters.queries import change, of_erased

if TYPE_CHECKING:
    from ledger.wiring import Wiring

ERASED = "its addressee was erased"


def erase_letters(wiring: "Wiring") -> int:
    """Remove every letter to a person who was erased; how many files (group `claims_ledger.erasures`).

    The key that opens the sealed ones is gone already. Done again, it does nothing.
    """
    shelf, carrier = shelf_of(wiring), carrier_of(wiring)
    with wiring.pool.transaction() as connection:
        gone = of_erased(connection, wiring.book)
        removed = sum(shelf.remove(letter.sha256) for letter in gone if letter.sha256 is not None)
        if carrier is not None:
            removed += carrier.take_back([letter.reference for letter in gone])
        change(
            connection,
            wiring.book,
            [letter.reference for letter in gone],
            status="erased",
            told=ERASED,
            tracking=None,
        )
    return removed
