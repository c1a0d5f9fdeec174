"""Keys of a book itself: for hashes of commands, words of the directory, secrets of subscriptions."""

import hmac
from secrets import token_bytes
from typing import Literal

from ledger.store.errors import MasterKeyMissing
from ledger.store.keys import KEY_BYTES, MasterKeys, WrappedKey
from ledger.store.pool import Connection

Purpose = Literal["content", "directory", "subscriptions"]

_READ = "select wrapped, master_id from vault.book_keys where book = %s and purpose = %s"

_ADD = """
insert into vault.book_keys (book, purpose, wrapped, master_id) values (%s, %s, %s, %s)
on conflict (book, purpose) do nothing
"""

_WRAPPED_BY_OTHERS = """
select book, purpose, wrapped, master_id from vault.book_keys where master_id <> %s for update
"""

_WRAP_ANEW = "update vault.book_keys set wrapped = %s, master_id = %s where book = %s and purpose = %s"


class BookKeys:
    """Keys of books, made when first asked for and the same ever after, whatever master key wraps them."""

    def __init__(self, masters: MasterKeys) -> None:
        """`masters` wrap and unwrap the keys."""
        self._masters = masters
        self._opened: dict[tuple[str, Purpose], bytes] = {}

    def opened(self, book: str, purpose: Purpose) -> bytes | None:
        """Give a key that this process has opened before."""
        return self._opened.get((book, purpose))

    def key(self, connection: Connection, book: str, purpose: Purpose) -> bytes:
        """Give a book's key, made now if there is none. Raises MasterKeyMissing."""
        kept = self.kept(connection, book, purpose)
        if kept is not None:
            return kept
        fresh = self._masters.wrap(token_bytes(KEY_BYTES), _bound(book, purpose))
        with connection.cursor() as cursor:
            cursor.execute(_ADD, (book, purpose, fresh.wrapped, fresh.master_id))
        # Whoever was faster has the last word: what counts is what the vault holds.
        made = self.kept(connection, book, purpose)
        if made is None:
            message = f"the vault lost the {_bound(book, purpose)} while it was made: try again"
            raise MasterKeyMissing(message)
        return made

    def kept(self, connection: Connection, book: str, purpose: Purpose) -> bytes | None:
        """Return a book's key; None where the vault holds none. Raises MasterKeyMissing."""
        held = self._opened.get((book, purpose))
        if held is not None:
            return held
        with connection.cursor() as cursor:
            cursor.execute(_READ, (book, purpose))
            found = cursor.fetchone()
        if found is None:
            return None
        key = self._masters.unwrap(WrappedKey(found[1], bytes(found[0])), _bound(book, purpose))
        self._opened[book, purpose] = key
        return key

    def rewrap(self, connection: Connection) -> int:
        """Wrap anew, with the current master key, all that older ones wrapped; how many."""
        with connection.cursor() as cursor:
            cursor.execute(_WRAPPED_BY_OTHERS, (self._masters.current,))
            rows = cursor.fetchall()
            for book, purpose, wrapped, master_id in rows:
                bound = _bound(book, purpose)
                key = self._masters.unwrap(WrappedKey(master_id, bytes(wrapped)), bound)
                anew = self._masters.wrap(key, bound)
                cursor.execute(_WRAP_ANEW, (anew.wrapped, anew.master_id, book, purpose))
            return len(rows)


def _bound(book: str, purpose: str) -> str:
    """Name a key as its wrapping is bound to it."""
    return f"{purpose} key of {book}"


def content_hmac(key: bytes, content: bytes) -> bytes:
    """Hash a command's content with its book's key, so that nothing in it can be guessed from the hash."""
    return hmac.digest(key, content, "sha256")
