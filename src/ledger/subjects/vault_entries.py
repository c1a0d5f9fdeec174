"""What the vault says of persons: whether they have a key or had one; never the key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ledger.store.pool import Connection

_COLUMNS: Final = "person, key_id::text, created_at, erased_at, erased_because"

_ONE: Final = f"select {_COLUMNS} from vault.subjects where book = %s and person = %s"  # noqa: S608  # own constants

_ALL: Final = f"""
select {_COLUMNS} from vault.subjects
where book = %(book)s and (not %(erased)s or erased_at is not null)
order by created_at, person
"""  # noqa: S608  # as above

# Names for search: the person's key opens them, so they are nothing without it; they go all the same.
_BLANK: Final = """
delete from vault.directory_words where book = %(book)s and person = %(person)s;
delete from vault.directory where book = %(book)s and person = %(person)s
"""


@dataclass(frozen=True, slots=True)
class VaultEntry:
    """One person in the vault. Instants are UTC."""

    person: str
    key_id: str
    created_at: datetime
    erased_at: datetime | None
    """None while the key is there."""
    erased_because: str | None


def vault_entry(connection: Connection, book: str, person: str) -> VaultEntry | None:
    """Read what the vault says of one person; None of whom it never held a key."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE, (book, person))
        found = cursor.fetchone()
    return None if found is None else _entry(found)


def vault_entries(connection: Connection, book: str, *, erased: bool = False) -> Sequence[VaultEntry]:
    """Read what the vault says of all persons of a book, oldest first; `erased`: only of those who are."""
    with connection.cursor() as cursor:
        cursor.execute(_ALL, {"book": book, "erased": erased})
        return [_entry(row) for row in cursor]


def blank_directory(connection: Connection, book: str, person: str) -> None:
    """Remove a person's names and the words by which they are found."""
    with connection.cursor() as cursor:
        cursor.execute(_BLANK, {"book": book, "person": person})


def _entry(row: tuple[str, str, datetime, datetime | None, str | None]) -> VaultEntry:
    person, key_id, created_at, erased_at, because = row
    return VaultEntry(
        person,
        key_id,
        created_at.astimezone(UTC),
        None if erased_at is None else erased_at.astimezone(UTC),
        because,
    )
