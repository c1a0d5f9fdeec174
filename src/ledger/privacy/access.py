"""Who opened whose data, where and why: the access log is told first, then the values are opened."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag

from ledger.domain.identifiers import StreamRef
from ledger.store.errors import Unreadable
from ledger.store.keys import SubjectKeys
from ledger.store.pool import Connection, Pool
from ledger.store.vault import ERASED, SealedValue, place, sealed_values, unseal

_WRITE: Final = """
insert into ledger.access_log (book, who, what, why, person, stream)
select %s, %s, %s, %s, person, stream from unnest(%s::text[], %s::text[]) as opened (person, stream)
"""

_READ: Final = """
select at, who, what, why, person, stream from ledger.access_log
where book = %(book)s and (%(person)s::text is null or person = %(person)s)
order by entry
"""


@dataclass(frozen=True, slots=True)
class Access:
    """Somebody's reason to touch personal data."""

    who: str
    """Opaque staff id, never a name."""
    what: str
    """The command or page: `subject export`."""
    why: str
    """In words, with nobody's name in it: the log is kept for good."""


class Opened(NamedTuple):
    """Whose data, and on which stream: None for a contract's hold, and for a person as a whole."""

    person: str | None
    stream: str | None


@dataclass(frozen=True, slots=True)
class AccessLine:
    """One line of the access log."""

    at: datetime
    """UTC."""
    who: str
    what: str
    why: str
    person: str | None
    stream: str | None


def record_access(connection: Connection, book: str, access: Access, opened: Iterable[Opened]) -> None:
    """Write a line for each person and stream. On a connection of plain autocommit it is durable at once."""
    lines = sorted(set(opened), key=str)
    if not lines:
        return
    with connection.cursor() as cursor:
        persons, streams = [line.person for line in lines], [line.stream for line in lines]
        cursor.execute(_WRITE, (book, access.who, access.what, access.why, persons, streams))


def access_lines(connection: Connection, book: str, person: str | None = None) -> Sequence[AccessLine]:
    """Read the log of a book, or of one person in it, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"book": book, "person": person})
        return [AccessLine(at.astimezone(UTC), *rest) for at, *rest in cursor]


ValueFilter = Callable[[SealedValue], bool]


class Stored(NamedTuple):
    """One stored event, as far as opening it needs."""

    stream: StreamRef
    version: int
    type: str
    payload: bytes


class Opening:
    """Opens personal values of one book for somebody who may, and says so in the access log."""

    def __init__(self, pool: Pool, keys: SubjectKeys, book: str, access: Access) -> None:
        """`access`: who reads, by what, and why. Whether they may is settled before."""
        self._pool = pool
        self._keys = keys
        self._book = book
        self._access = access

    def clear_texts(
        self, events: Iterable[Stored], wanted: ValueFilter = lambda _value: True
    ) -> Mapping[str, str]:
        """Open what is wanted of these events: ciphertext as it stands in a payload → clear text.

        It is `[erased]` where the person's key is gone.

        Raises:
            Unreadable: a ciphertext does not belong where it stands.

        """
        found = [
            (event, value) for event in events for value in sealed_values(event.payload) if wanted(value)
        ]
        with self._pool.connection() as connection:
            touched = {Opened(value.person, event.stream.name) for event, value in found}
            record_access(connection, self._book, self._access, touched)
            persons = {value.person for _, value in found}
            held = self._keys.for_reading(connection, self._book, persons) if persons else {}
        return {value.box: self._clear_text(event, value, held.get(value.person)) for event, value in found}

    def _clear_text(self, event: Stored, value: SealedValue, key: bytes | None) -> str:
        if key is None:
            return ERASED
        stream = event.stream.name
        try:
            return unseal(key, value.box, place(self._book, stream, event.version, event.type, value.path))
        except (InvalidTag, ValueError) as error:
            reason = f"the ciphertext of {value.path} does not belong there: run `coverledger verify`"
            raise Unreadable(stream, event.version, reason) from error


def keys_to_open(
    pool: Pool, keys: SubjectKeys, book: str, access: Access, opened: Iterable[Opened]
) -> Mapping[str, bytes]:
    """Return persons' keys, to open what lies outside the database under them, such as a letter.

    The access log is told first. Left out is who was erased, or never had a key.
    """
    named = list(opened)
    with pool.connection() as connection:
        record_access(connection, book, access, named)
        persons = {one.person for one in named if one.person is not None}
        return keys.for_reading(connection, book, persons) if persons else {}
