"""Rotation of the master key: every survivor's key is wrapped anew, then the old master is destroyed.

From then on no old backup of any kind opens anything: not the data's, not the vault's, not a copy of a disk.
"""

from dataclasses import dataclass
from typing import Final

from ledger.store.book_keys import BookKeys
from ledger.store.errors import MasterKeyMissing
from ledger.store.keys import MasterKeys
from ledger.store.owner import act_as_owner
from ledger.store.pool import Connection, Pool
from ledger.store.subject_keys import SubjectKeys

# Erasures and holds lock a book's key first too (ledger.privacy.persons). The tables' lock
# waits for all who wrap at the moment, and keeps others from it to the end.
_LOCK_BOOKS: Final = "select from vault.book_keys order by book, purpose for update"
_LOCK: Final = "lock table vault.subjects, vault.book_keys in share row exclusive mode"

_DESTROYED: Final = """
insert into vault.destroyed_masters (master_id) select unnest(%s) on conflict (master_id) do nothing
"""
_LEFT: Final = """
select (select count(*) from vault.subjects where master_id <> %(current)s)
     + (select count(*) from vault.book_keys where master_id <> %(current)s)
"""
_USED: Final = """
select master_id, count(*) from (
    select master_id from vault.subjects where master_id is not null
    union all select master_id from vault.book_keys
) as wrapped group by master_id
"""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation of the master key did."""

    current: str
    destroyed: frozenset[str]
    persons: int
    """Whose key was wrapped anew."""
    book_keys: int


def rotate_masters(pool: Pool, masters: MasterKeys) -> Rotation:
    """Make a new master key, wrap everything anew with it, destroy the others.

    `pool`: connects as the role that migrates. The file holds both keys until the database has committed; a
    rotation that was broken off is finished by the next one, without a further key.
    Raises MasterKeyMissing when something is wrapped by a key that the file does not hold: then nothing is
    destroyed.
    """
    with pool.transaction() as connection:
        _lock(connection)
        masters.read_again()
        if masters.ids == {masters.current}:
            masters.rotate()
        persons, book_keys = _wrap_anew(connection, masters)
        with connection.cursor() as cursor:
            cursor.execute(_DESTROYED, (sorted(masters.ids - {masters.current}),))
    with pool.transaction() as connection:
        _lock(connection)  # Alone with the file again.
        masters.read_again()
        old = masters.ids - {masters.current}
        for key_id in old:
            masters.destroy(key_id)
    return Rotation(masters.current, old, persons, book_keys)


def wrapped_by(connection: Connection) -> dict[str, int]:
    """Count the keys that each master key wraps, all books together."""
    with connection.cursor() as cursor:
        cursor.execute(_USED)
        return dict(cursor.fetchall())


def _wrap_anew(connection: Connection, masters: MasterKeys) -> tuple[int, int]:
    subjects, persons = SubjectKeys(masters), 0
    while wrapped := subjects.rewrap(connection):
        persons += wrapped
    book_keys = BookKeys(masters).rewrap(connection)
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, {"current": masters.current})
        [(left,)] = cursor.fetchall()
    if left:
        message = f"{left} keys of the vault could not be wrapped anew: nothing was destroyed; rotate again"
        raise MasterKeyMissing(message)
    return persons, book_keys


def _lock(connection: Connection) -> None:
    """Act as the vault's owner, and alone, until the transaction ends."""
    act_as_owner(connection)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_BOOKS)
        cursor.execute(_LOCK)
