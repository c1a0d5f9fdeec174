"""Work on a whole database, book by book, without making one."""

from collections.abc import Iterator

from ledger.settings import Settings
from ledger.store.books import Books
from ledger.store.pool import Pool
from ledger.wiring import Ways, Wiring


def every_book(settings: Settings, ways: Ways) -> Iterator[Wiring]:
    """Open each book in turn, and close it when the next one is asked for."""
    with Pool(ways.write, size=1) as pool:
        names = Books(pool).names()
    for name in names:
        wiring = Wiring(settings, name, ways)
        try:
            yield wiring
        finally:
            wiring.close()
