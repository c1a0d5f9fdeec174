"""The directory as a follower of the feed: names are opened, hashed, sealed again; an erasure goes first."""

from collections.abc import Callable, Sequence
from typing import Final

from ledger.feed.reader import FeedEvent
from ledger.store.event_store import EventStore
from ledger.store.pool import Connection
from ledger.store.vault import place, seal, unseal
from projections.directory.entries import TYPES, Called, entries
from projections.directory.queries import Entry, forget_all, hold, put
from projections.directory.words import hashed, indexed

NAME: Final = "directory"


class DirectoryFollower:
    """Keeps the directory of one book. Reading by machine to keep an index is no access of a person."""

    name = NAME
    types = TYPES
    in_stream_order = True
    lies_in_the_vault = True

    def __init__(self, store: Callable[[], EventStore], book: str) -> None:
        """`store` gives the keys of persons and of the book; it is asked for when there is a name to take."""
        self._store = store
        self._book = book

    def apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        """Take what the events say of persons who have a key; whoever was erased is passed over."""
        called = entries(events)
        persons = {person for person, _ in called}
        if not persons:
            return
        hold(connection, self._book, persons)
        store = self._store()
        held = store.subject_keys.for_reading(connection, self._book, persons)
        word_key = store.book_keys.key(connection, self._book, "directory")
        put(
            connection,
            self._book,
            [
                self._entry(person, field, said, held[person], word_key)
                for (person, field), said in sorted(called.items(), key=lambda item: item[0])
                if person in held
            ],
        )

    def forget(self, connection: Connection) -> None:
        """Blank the directory of the book, to be kept anew. Must not commit."""
        forget_all(connection, self._book)

    def _entry(self, person: str, field: str, said: Called, key: bytes, word_key: bytes) -> Entry:
        text = clear_text(self._book, said, key)
        box = seal(key, text, place_of(self._book, person, field))
        return Entry(person, field, box, {hashed(word_key, word) for word in indexed(text)})


def clear_text(book: str, said: Called, key: bytes) -> str:
    """Open a value where the event holds it. Raises cryptography's InvalidTag where it does not belong."""
    event = said.event
    where = place(book, event.stream.name, event.version, event.type, said.value.path)
    return unseal(key, said.value.box, where)


def place_of(book: str, person: str, field: str) -> bytes:
    """Say where a ciphertext of the directory belongs: moved elsewhere, it does not open."""
    return place(book, f"directory/{person}", 0, NAME, field)
