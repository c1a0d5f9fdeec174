"""The directory of persons: who is called how, as ciphertext, by keyed hashes of a name's words.

It lies in the vault, beside the persons' keys. Erasing a person blanks it; nothing in it can be read, or
guessed, without a master key. It has no history by position: of who is erased nothing may stay.
"""

import hmac
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from psycopg2.extras import execute_values

from ledger.domain.claim.events import ClaimOpened
from ledger.domain.contract.events import ContractStarted, PersonCorrected
from ledger.feed.reader import FeedEvent
from ledger.privacy.access import Access, Opened, record_access
from ledger.store.event_store import EventStore
from ledger.store.feed import checkpoint
from ledger.store.keys import BookKeys, SubjectKeys
from ledger.store.pool import Connection, Pool
from ledger.store.vault import SealedValue, place, seal, sealed_values, unseal
from ledger.verification.findings import CheckedView, NotVerified, OnProgress
from projections.queries.reader import read_until

if TYPE_CHECKING:
    from ledger.app import App

SHORTEST_BEGINNING: Final = 3
LONGEST_BEGINNING: Final = 12
"""Longer beginnings are found by the whole word alone."""

_WORD: Final = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Return the words of a name or of a search, in order; an address of mail is one word."""
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text.casefold())
        if not unicodedata.combining(letter)
    )
    found: list[str] = []
    for part in plain.split():
        found += [part] if "@" in part else _WORD.findall(part)
    return found


def indexed(text: str) -> set[str]:
    """Return all that a name is found by: its words and their beginnings."""
    found: set[str] = set()
    for word in words(text):
        found.add(word)
        if "@" not in word:
            longest = min(len(word), LONGEST_BEGINNING)
            found.update(word[:length] for length in range(SHORTEST_BEGINNING, longest + 1))
    return found


def hashed(key: bytes, word: str) -> bytes:
    """Hash a word with the book's key, so that nobody without it can tell or guess the word."""
    return hmac.digest(key, word.encode(), "sha256")


TYPES: Final = frozenset(event.stable_name for event in (ContractStarted, PersonCorrected, ClaimOpened))

# What a claim says of a victim stands beside what the contract says: correcting one corrects not the other.
_FIELDS: Final[Mapping[tuple[str, str], str]] = {
    ("contract", "name"): "name",
    ("contract", "email"): "email",
    ("claim", "name"): "victim_name",
}


class Called(NamedTuple):
    """One field of one person, as the newest event on it says."""

    event: FeedEvent
    value: SealedValue


Key = tuple[str, str]
"""A person and a field: `name`, `email`, `victim_name`."""


def entries(events: Iterable[FeedEvent]) -> dict[Key, Called]:
    """Return for each person and field what the last of these events says."""
    found: dict[Key, Called] = {}
    for event in events:
        for value in sealed_values(event.payload):
            field = _FIELDS.get((event.stream.kind, value.path.rpartition(".")[2]))
            if field is not None:
                found[value.person, field] = Called(event, value)
    return found


# An erasure changes the person's row: it waits until what is written here has landed, and then blanks it; or
# it comes first, and the person has no key any more.
_HOLD: Final = "select from vault.subjects where book = %s and person = any(%s) order by person for share"

_PUT: Final = """
insert into vault.directory (book, person, field, box) values %s
on conflict (book, person, field) do update set box = excluded.box
"""
_FORGET_WORDS: Final = """
delete from vault.directory_words w using unnest(%s::text[], %s::text[]) as gone (person, field)
where w.book = %s and w.person = gone.person collate "C" and w.field = gone.field collate "C"
"""
_PUT_WORDS: Final = "insert into vault.directory_words (book, word_hmac, person, field) values %s"
_FORGET_ALL: Final = """
delete from vault.directory_words where book = %(book)s;
delete from vault.directory where book = %(book)s
"""

_FOUND: Final = """
select person from (
    select person, field from vault.directory_words
    where book = %(book)s and word_hmac = any(%(words)s)
    group by person, field having count(*) = %(wanted)s
) as matching
group by person order by person limit %(limit)s
"""
_BOXES: Final = """
select person, field, box from vault.directory where book = %s and person = any(%s) order by person, field
"""
_ALL_BOXES: Final = "select person, field, box from vault.directory where book = %s"
_ALL_WORDS: Final = "select person, field, word_hmac from vault.directory_words where book = %s"
_MAY_READ: Final = "select has_schema_privilege('vault', 'usage')"

# Whose contracts and claims these are, as the registers have it at a position.
_WHERE: Final = """
with live as (select view, generation from projections.generations where book = %(book)s and state = 'live')
select policyholder as person, 'contract' as kind, contract as number from projections.contracts
where book = %(book)s and generation = (select generation from live where view = 'contracts')
    and policyholder = any(%(persons)s)
    and from_position <= %(position)s and (to_position is null or to_position > %(position)s)
union all
select victim, 'claim', claim from projections.claims
where book = %(book)s and generation = (select generation from live where view = 'claims')
    and victim = any(%(persons)s)
    and from_position <= %(position)s and (to_position is null or to_position > %(position)s)
order by 1, 2, 3
"""


class DirectoryEntry(NamedTuple):
    """One field of one person: its ciphertext, and the hashes that it is found by."""

    person: str
    field: str
    box: str
    word_hmacs: Collection[bytes]


def hold(connection: Connection, book: str, persons: Collection[str]) -> None:
    """Keep these persons from being erased until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, (book, sorted(persons)))


def put(connection: Connection, book: str, entries: Sequence[DirectoryEntry]) -> None:
    """Write entries, each in the place of the one before it."""
    with connection.cursor() as cursor:
        persons, fields = [entry.person for entry in entries], [entry.field for entry in entries]
        cursor.execute(_FORGET_WORDS, (persons, fields, book))
        rows = [(book, entry.person, entry.field, entry.box.encode()) for entry in entries]
        execute_values(cursor, _PUT, rows)
        found_by = [(book, word, entry.person, entry.field) for entry in entries for word in entry.word_hmacs]
        execute_values(cursor, _PUT_WORDS, found_by)


def forget_all(connection: Connection, book: str) -> None:
    """Blank the directory of a book."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_ALL, {"book": book})


def found(connection: Connection, book: str, word_hmacs: Collection[bytes], limit: int) -> list[str]:
    """Return the persons of whom one field holds all these words, by id."""
    with connection.cursor() as cursor:
        words = list(word_hmacs)
        cursor.execute(_FOUND, {"book": book, "words": words, "wanted": len(words), "limit": limit})
        return [person for (person,) in cursor]


def boxes(connection: Connection, book: str, persons: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Yield person, field and ciphertext of each field of these persons."""
    with connection.cursor() as cursor:
        cursor.execute(_BOXES, (book, list(persons)))
        for person, field, box in cursor:
            yield person, field, bytes(box).decode()


def all_entries(connection: Connection, book: str) -> Mapping[tuple[str, str], DirectoryEntry]:
    """Return the whole directory of a book, by person and field."""
    with connection.cursor() as cursor:
        cursor.execute(_ALL_WORDS, (book,))
        words: dict[tuple[str, str], set[bytes]] = {}
        for person, field, word in cursor:
            words.setdefault((person, field), set()).add(bytes(word))
        cursor.execute(_ALL_BOXES, (book,))
        kept = {
            (person, field): DirectoryEntry(
                person, field, bytes(box).decode(), words.pop((person, field), set())
            )
            for person, field, box in cursor
        }
    return kept | {key: DirectoryEntry(*key, "", found) for key, found in words.items()}


def may_read_vault(connection: Connection) -> bool:
    """Return whether this login may read the vault at all: an auditor's may not."""
    with connection.cursor() as cursor:
        cursor.execute(_MAY_READ)
        (may,) = cursor.fetchone() or (False,)
    return bool(may)


def numbers(
    connection: Connection, book: str, persons: Collection[str], position: int
) -> list[tuple[str, str, str]]:
    """Return person, kind and number of each contract and claim of these persons at a position."""
    with connection.cursor() as cursor:
        cursor.execute(_WHERE, {"book": book, "persons": list(persons), "position": position})
        return [tuple(row) for row in cursor]


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

    def _entry(self, person: str, field: str, said: Called, key: bytes, word_key: bytes) -> DirectoryEntry:
        text = clear_text(self._book, said, key)
        box = seal(key, text, place_of(self._book, person, field))
        return DirectoryEntry(person, field, box, {hashed(word_key, word) for word in indexed(text)})


def clear_text(book: str, said: Called, key: bytes) -> str:
    """Open a value where the event holds it. Raises cryptography's InvalidTag where it does not belong."""
    event = said.event
    where = place(book, event.stream.name, event.version, event.type, said.value.path)
    return unseal(key, said.value.box, where)


def place_of(book: str, person: str, field: str) -> bytes:
    """Return where a ciphertext of the directory belongs: moved elsewhere, it does not open."""
    return place(book, f"directory/{person}", 0, NAME, field)


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
        """Return the persons of whom one field holds all words of `asked`, beginnings of three letters too.

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


_SNAPSHOT: Final = "set transaction isolation level repeatable read, read only"


def check_directory(wiring: "App", progress: OnProgress) -> CheckedView:
    """Check the directory as far as it has come: its entries. Raises NotVerified for the first bad one.

    A login that may not read the vault, as an auditor's, sees no entry: it checks none, and says 0 rows.
    """
    book = wiring.book
    with wiring.pool.transaction() as connection:
        with connection.cursor() as cursor:
            cursor.execute(_SNAPSHOT)
        position = checkpoint(connection, book, NAME)
        if not may_read_vault(connection):
            return CheckedView(0, position)
        called = entries(read_until(connection, book, position, TYPES))
        progress(position + 1, position + 1)
        kept = all_entries(connection, book)
        if kept or called:
            _compare(wiring, connection, called, dict(kept))
    return CheckedView(len(kept), position)


def _compare(
    wiring: "App", connection: Connection, called: dict[Key, Called], kept: dict[Key, DirectoryEntry]
) -> None:
    book = wiring.book
    held = wiring.store.subject_keys.for_reading(connection, book, {person for person, _ in called})
    wanted = {key: said for key, said in called.items() if key[0] in held}
    for key in sorted(kept.keys() - wanted.keys()):
        raise NotVerified(None, _row(key), "no event explains this entry, or the person was erased")
    if not wanted:
        return
    word_key = wiring.store.book_keys.kept(connection, book, "directory")
    if word_key is None:
        reason = (
            "the key that the directory's words are hashed with is missing: it was deleted, or another vault "
            "was put back; restore the vault's backup (coverledger restore --vault FILE)"
        )
        raise NotVerified(None, f"vault.book_keys, {book} directory", reason)
    for key, said in sorted(wanted.items(), key=lambda item: item[1].event.position):
        entry, person_key = kept.get(key), held[key[0]]
        if entry is None:
            raise NotVerified(said.event.position, _row(key), "the entry is missing: it was deleted")
        text = clear_text(book, said, person_key)
        try:
            same = unseal(person_key, entry.box, place_of(book, *key)) == text
        except (InvalidTag, ValueError):
            same = False
        if not same or entry.word_hmacs != {hashed(word_key, word) for word in indexed(text)}:
            raise NotVerified(said.event.position, _row(key), "it is not what the event says: it was altered")


def _row(key: Key) -> str:
    return f"vault.directory, {' '.join(key)}"
