"""Each person's own data key: made when something personal is recorded, destroyed to erase the person."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from secrets import token_bytes
from uuid import UUID, uuid4

from psycopg2.extras import execute_values

from ledger.store.errors import SubjectErased
from ledger.store.keys import KEY_BYTES, MasterKeys, WrappedKey
from ledger.store.pool import Connection

_READ = """
select person, key_id::text, wrapped, master_id from vault.subjects where book = %s and person = any(%s)
"""

# A person who is erased before anything personal was recorded is erased all the same: no key will be made.
_ERASE = """
insert into vault.subjects as known (book, person, key_id, erased_at, erased_because)
values (%(book)s, %(person)s, %(key_id)s, clock_timestamp(), %(because)s)
on conflict (book, person) do update
    set wrapped = null, master_id = null, erased_at = excluded.erased_at,
        erased_because = excluded.erased_because
    where known.wrapped is not null
"""

_WRAPPED_BY_OTHERS = """
select book, person, wrapped, master_id from vault.subjects
where wrapped is not null and master_id <> %s
order by book, person limit %s for update
"""

_WRAP_ANEW = """
update vault.subjects as known set wrapped = fresh.wrapped, master_id = fresh.master_id
from (values %s) as fresh (book, person, wrapped, master_id)
where (known.book, known.person) = (fresh.book, fresh.person) and known.wrapped is not null
"""

_REWRAP_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """A person's data key, with what the vault holds of it."""

    person: str
    key_id: UUID
    key: bytes
    wrapped: WrappedKey
    is_new: bool
    """Made just now: it goes into the vault with the commit that uses it."""


class SubjectKeys:
    """The persons' keys of all books, opened with the master keys.

    Nothing is kept in memory between calls.
    """

    def __init__(self, masters: MasterKeys) -> None:
        """`masters` wrap and unwrap the keys."""
        self._masters = masters

    def for_writing(
        self, connection: Connection, book: str, persons: Collection[str]
    ) -> Mapping[str, SubjectKey]:
        """Give each person's key, a new one to whoever has none. Raises SubjectErased."""
        known = dict(self._read(connection, book, persons))
        for person, found in known.items():
            if found is None:
                raise SubjectErased(person)
        return {person: known.get(person) or self._make(book, person) for person in persons}

    def for_reading(self, connection: Connection, book: str, persons: Collection[str]) -> Mapping[str, bytes]:
        """Give the keys of those persons who have one and are not erased."""
        return {
            person: found.key for person, found in self._read(connection, book, persons) if found is not None
        }

    def erase(self, connection: Connection, book: str, person: str, because: str) -> bool:
        """Destroy a person's key, for ever; False when it was destroyed before."""
        with connection.cursor() as cursor:
            cursor.execute(
                _ERASE, {"book": book, "person": person, "key_id": str(uuid4()), "because": because}
            )
            return cursor.rowcount == 1

    def rewrap(self, connection: Connection) -> int:
        """Wrap anew, with the current master key, a batch of what others wrapped; 0 when none is left."""
        with connection.cursor() as cursor:
            cursor.execute(_WRAPPED_BY_OTHERS, (self._masters.current, _REWRAP_BATCH))
            fresh = []
            for book, person, wrapped, master_id in cursor.fetchall():
                purpose = _purpose(book, person)
                key = self._masters.unwrap(WrappedKey(master_id, bytes(wrapped)), purpose)
                anew = self._masters.wrap(key, purpose)
                fresh.append((book, person, anew.wrapped, anew.master_id))
            if fresh:
                execute_values(cursor, _WRAP_ANEW, fresh, page_size=_REWRAP_BATCH)
            return len(fresh)

    def _read(
        self, connection: Connection, book: str, persons: Collection[str]
    ) -> Iterable[tuple[str, SubjectKey | None]]:
        """Read what the vault holds: None stands for an erased person, nothing for an unknown one."""
        with connection.cursor() as cursor:
            cursor.execute(_READ, (book, list(persons)))
            for person, key_id, wrapped, master_id in cursor.fetchall():
                if wrapped is None:
                    yield person, None
                    continue
                held = WrappedKey(master_id, bytes(wrapped))
                key = self._masters.unwrap(held, _purpose(book, person))
                yield person, SubjectKey(person, UUID(key_id), key, held, is_new=False)

    def _make(self, book: str, person: str) -> SubjectKey:
        key = token_bytes(KEY_BYTES)
        return SubjectKey(person, uuid4(), key, self._masters.wrap(key, _purpose(book, person)), is_new=True)


def _purpose(book: str, person: str) -> str:
    return f"subject key of {person} in {book}"
