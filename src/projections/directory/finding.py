"""Persons found by name, for somebody who says why: the access log is told first, then names are opened."""

from dataclasses import dataclass, field
from typing import Final

from ledger.privacy.access import Access, Opened, record_access
from ledger.store.keys import BookKeys, SubjectKeys
from ledger.store.pool import Pool
from ledger.store.vault import unseal
from projections.directory.follower import place_of
from projections.directory.queries import boxes, found, numbers
from projections.directory.words import hashed, words

MOST_FOUND: Final = 50


@dataclass(slots=True)
class Person:
    """A person who was found: how they are called, and their contracts and claims."""

    person: str
    name: str | None = None
    email: str | None = None
    victim_name: str | None = None
    contracts: list[str] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)


class Directory:
    """The directory of one book, to search in."""

    def __init__(self, pool: Pool, keys: SubjectKeys, book_keys: BookKeys, book: str) -> None:
        """`keys` open the persons' values, `book_keys` hash the words searched for."""
        self._pool = pool
        self._keys = keys
        self._book_keys = book_keys
        self._book = book

    def find(self, asked: str, access: Access, position: int, limit: int = MOST_FOUND) -> list[Person]:
        """Give the persons of whom one field holds all words of `asked`, beginnings of three letters too.

        Every one is written down in the access log before a name is opened; a search that finds nobody is
        written down as well. `position`: as of which their contracts and claims are named.
        """
        with self._pool.connection() as connection:
            key = self._book_keys.key(connection, self._book, "directory")
            hashes = {hashed(key, word) for word in words(asked)}
            persons = found(connection, self._book, hashes, limit) if hashes else []
            opened = [Opened(person, None) for person in persons] or [Opened(None, None)]
            record_access(connection, self._book, access, opened)
            held = self._keys.for_reading(connection, self._book, persons) if persons else {}
            listed = {person: Person(person) for person in persons if person in held}
            for person, name, box in boxes(connection, self._book, list(listed)):
                setattr(listed[person], name, unseal(held[person], box, place_of(self._book, person, name)))
            for person, kind, number in numbers(connection, self._book, list(listed), position):
                (listed[person].contracts if kind == "contract" else listed[person].claims).append(number)
        return list(listed.values())
