"""All that is held on one person, in clear: the right of access."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from ledger.domain.identifiers import StreamRef
from ledger.privacy.access import Access, AccessLine, Opening, Stored, access_lines
from ledger.privacy.holds import Hold, standing_holds
from ledger.privacy.persons import HeldStream, PersonUnknown, VaultEntry, held_streams, vault_entry
from ledger.store.canonical import stream_id, stream_ref
from ledger.store.event_store import EventStore
from ledger.store.events import SALT
from ledger.store.pool import Connection, Pool

SEALED = "[sealed]"
"""Stands for a value of somebody else."""

_EVENTS: Final = """
select e.stream, e.version, l.position, e.type, e.effective_on, e.at, e.recorded_at, e.actor, e.command_id,
       e.payload
from ledger.events e
left join ledger.log l on l.book = e.book and l.stream_id = e.stream_id and l.version = e.version
where e.book = %s and e.stream_id = any(%s::uuid[])
order by e.stream, e.version
"""


class ExportedEvent(NamedTuple):
    """One event of a stream that holds the person, what is theirs in clear. Instants are UTC."""

    version: int
    position: int | None
    """None while it is not sealed."""
    type: str
    effective_on: date
    at: datetime
    recorded_at: datetime
    actor: str
    command_id: str
    payload: object
    """As it was recorded, less the salt; values of others as `[sealed]`."""


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """What the ledger holds on one person, nothing of it opened."""

    person: str
    vault: VaultEntry | None
    """None where the vault was lost: nobody can open anything then."""
    streams: Sequence[HeldStream]
    holds: Sequence[Hold]
    accesses: Sequence[AccessLine]
    """Who opened the person's data, and who erased them."""


@dataclass(frozen=True, slots=True)
class Export:
    """All that is held on one person."""

    subject: PersonSummary
    events: Sequence[tuple[HeldStream, Sequence[ExportedEvent]]]


class Subjects:
    """Persons of one book, looked up and exported."""

    def __init__(self, store: EventStore, pool: Pool, book: str) -> None:
        """`pool` connects as the application."""
        self._store = store
        self._pool = pool
        self._book = book

    def find(self, person: str) -> PersonSummary:
        """Return where a person's values are, and who opened them. Raises PersonUnknown."""
        with self._pool.connection() as connection:
            vault = vault_entry(connection, self._book, person)
            streams = held_streams(connection, self._book, person)
            if vault is None and not streams:
                raise PersonUnknown(self._book, person)
            contracts = {contract for stream in streams for contract in stream.contracts}
            return PersonSummary(
                person,
                vault,
                streams,
                standing_holds(connection, self._book, contracts),
                access_lines(connection, self._book, person),
            )

    def export(self, person: str, access: Access) -> Export:
        """Open all that is held on a person; the export itself is in the access log that it brings.

        Values of others that stand on the same streams stay sealed. Raises PersonUnknown, Unreadable.
        """
        held = {stream.stream: stream for stream in self.find(person).streams}
        with self._pool.connection() as connection:
            rows = _rows(connection, self._book, list(held))
        opening = Opening(self._pool, self._store.subject_keys, self._book, access)
        clear_texts = opening.clear_texts(
            (Stored(row.stream, row.version, row.type, row.payload) for row in rows),
            lambda value: value.person == person,
        )
        told: dict[StreamRef, list[ExportedEvent]] = {stream: [] for stream in held}
        for row in rows:
            told[row.stream].append(row.exported(clear_texts))
        return Export(self.find(person), [(held[stream], events) for stream, events in told.items()])


class _Row(NamedTuple):
    stream: StreamRef
    version: int
    position: int | None
    type: str
    effective_on: date
    at: datetime
    recorded_at: datetime
    actor: str
    command_id: str
    payload: bytes

    def exported(self, clear_texts: Mapping[str, str]) -> ExportedEvent:
        return ExportedEvent(
            self.version,
            self.position,
            self.type,
            self.effective_on,
            self.at.astimezone(UTC),
            self.recorded_at.astimezone(UTC),
            self.actor,
            self.command_id,
            _in_clear(json.loads(self.payload), clear_texts),
        )


def _in_clear(value: object, clear_texts: Mapping[str, str]) -> object:
    """Put clear texts in the place of ciphertexts, and leave out the salt, which says nothing."""
    if isinstance(value, dict):
        if value.keys() == {"person", "box"}:
            return clear_texts.get(value["box"], SEALED)
        return {name: _in_clear(inner, clear_texts) for name, inner in value.items() if name != SALT}
    if isinstance(value, list):
        return [_in_clear(inner, clear_texts) for inner in value]
    return value


def _rows(connection: Connection, book: str, streams: Sequence[StreamRef]) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, (book, [str(stream_id(book, stream)) for stream in streams]))
        return [_Row._make((stream_ref(row[0]), *row[1:-1], bytes(row[-1]))) for row in cursor]
