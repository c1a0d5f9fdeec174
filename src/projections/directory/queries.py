"""Rows of the directory in the vault."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from psycopg2.extras import execute_values

from ledger.store.pool import Connection

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


class Entry(NamedTuple):
    """One field of one person: its ciphertext, and the hashes that it is found by."""

    person: str
    field: str
    box: str
    word_hmacs: Collection[bytes]


def hold(connection: Connection, book: str, persons: Collection[str]) -> None:
    """Keep these persons from being erased until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, (book, sorted(persons)))


def put(connection: Connection, book: str, entries: Sequence[Entry]) -> None:
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
    """Give the persons of whom one field holds all these words, by id."""
    with connection.cursor() as cursor:
        words = list(word_hmacs)
        cursor.execute(_FOUND, {"book": book, "words": words, "wanted": len(words), "limit": limit})
        return [person for (person,) in cursor]


def boxes(connection: Connection, book: str, persons: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Give person, field and ciphertext of each field of these persons."""
    with connection.cursor() as cursor:
        cursor.execute(_BOXES, (book, list(persons)))
        for person, field, box in cursor:
            yield person, field, bytes(box).decode()


def all_entries(connection: Connection, book: str) -> Mapping[tuple[str, str], Entry]:
    """Give the whole directory of a book, by person and field."""
    with connection.cursor() as cursor:
        cursor.execute(_ALL_WORDS, (book,))
        words: dict[tuple[str, str], set[bytes]] = {}
        for person, field, word in cursor:
            words.setdefault((person, field), set()).add(bytes(word))
        cursor.execute(_ALL_BOXES, (book,))
        kept = {
            (person, field): Entry(person, field, bytes(box).decode(), words.pop((person, field), set()))
            for person, field, box in cursor
        }
    return kept | {key: Entry(*key, "", found) for key, found in words.items()}


def may_read_vault(connection: Connection) -> bool:
    """Say whether this login may read the vault at all: an auditor's may not."""
    with connection.cursor() as cursor:
        cursor.execute(_MAY_READ)
        (may,) = cursor.fetchone() or (False,)
    return bool(may)


def numbers(
    connection: Connection, book: str, persons: Collection[str], position: int
) -> list[tuple[str, str, str]]:
    """Give person, kind and number of each contract and claim of these persons at a position."""
    with connection.cursor() as cursor:
        cursor.execute(_WHERE, {"book": book, "persons": list(persons), "position": position})
        return [tuple(row) for row in cursor]
