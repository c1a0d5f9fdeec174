"""The access log: who opened whose data, where and why. It never says what was read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from ledger.store.pool import Connection

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
