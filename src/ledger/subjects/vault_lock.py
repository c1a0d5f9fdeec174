"""One hand in a book's vault at a time: erasures, holds and the rotation of keys wait for each other."""

from typing import Final

from ledger.store.pool import Connection

# The row of the book's own content key stands for its vault: whoever rotates keys locks it too, commands only
# read it. A book that lacks the row has never taken a command, so that nobody is held in it.
_LOCK: Final = "select from vault.book_keys where book = %s and purpose = 'content' for update"


def lock_vault(connection: Connection, book: str) -> None:
    """Wait until nobody else erases, holds or rotates in this book; so it stays to the transaction's end."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, (book,))
