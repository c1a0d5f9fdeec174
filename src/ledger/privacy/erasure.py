"""Erasure: a person's key destroyed and said so on every stream that holds them, in one transaction.

No event is touched, so no proof breaks. What was recorded on the person stays as ciphertext that nobody
can open.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, cast
from uuid import uuid4

from ledger.application import TRIES, Ledger, wait
from ledger.domain.calendar import brussels_date
from ledger.domain.claim.events import ClaimSubjectErased
from ledger.domain.complaint.events import ComplaintSubjectErased
from ledger.domain.contract.events import ContractSubjectErased
from ledger.domain.event import Event, PendingEvent
from ledger.domain.identifiers import StreamKind
from ledger.errors import Unavailable
from ledger.privacy.access import Access, Opened, record_access
from ledger.privacy.holds import standing_holds
from ledger.privacy.persons import (
    ERASED_TYPES,
    HeldStream,
    LegalHold,
    PersonUnknown,
    blank_directory,
    held_streams,
    lock_vault,
    vault_entries,
    vault_entry,
)
from ledger.store.errors import BookUnknown, ImportOpen, OutcomeUnknown, VersionConflict
from ledger.store.events import Commit
from ledger.store.pool import Connection

_TOLD: Final = "select payload from ledger.events where book = %s and type = any(%s)"


def came_back(connection: Connection, book: str) -> Sequence[str]:
    """Return the persons who were erased, as the ledger says, and whose key the vault holds all the same."""
    told = _told(connection, book)
    return [
        entry.person
        for entry in vault_entries(connection, book)
        if entry.erased_at is None and entry.person in told
    ]


def untold(connection: Connection, book: str) -> Sequence[str]:
    """Return the persons who were erased, as the vault says, while no stream that holds them says so."""
    told = _told(connection, book)
    return [
        entry.person
        for entry in vault_entries(connection, book, erased=True)
        if entry.person not in told and held_streams(connection, book, entry.person)
    ]


def _told(connection: Connection, book: str) -> frozenset[str]:
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, (book, ERASED_TYPES))
        return frozenset(json.loads(bytes(payload))["person"] for (payload,) in cursor)


# An import opens by locking the book's row: it waits for an erasure under way. The sealer does not.
_BOOK: Final = "select import_id, clock_timestamp() from ledger.books where book = %s for key share"


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did."""

    person: str
    erased_at: datetime
    """When the key was destroyed, UTC: now, or before."""
    because: str
    """The reason given then."""
    before: bool
    """True when all had been done before: nothing was changed."""
    events: Sequence[PendingEvent]
    """The SubjectErased recorded now, one a stream."""
    streams: Sequence[str]
    """All streams that held the person."""


class Erasures:
    """Erases persons of one book."""

    def __init__(self, ledger: Ledger) -> None:
        """Erase persons of the ledger's book, and record so through it."""
        self._ledger = ledger
        self._store = ledger.store
        self._pool = ledger.pool
        self._book = ledger.book

    def erase(self, person: str, access: Access) -> Erasure:
        """Destroy a person's key, say so on every stream that holds them, blank the directory.

        Whoever records something personal on them at the same time either comes first, and is erased with
        the rest, or is told SUBJECT_ERASED. Done again, it changes nothing; but a key that came back with an
        older vault is destroyed again, and a stream put back to before its SubjectErased is told again.

        Raises:
            PersonUnknown: nothing was ever recorded on the person.
            LegalHold: a contract that holds the person is held.
            ImportOpen: an import holds the book.
            Unavailable: others write to the person's streams all the time, or the database went away.

        """
        for attempt in range(TRIES):
            try:
                with self._pool.transaction() as connection:
                    return self._erase(connection, person, access)
            except VersionConflict:
                wait(attempt)
            except OutcomeUnknown as error:
                message = (
                    f"The database went away, so whether {person!r} was erased is not known: erase again."
                )
                raise Unavailable(message) from error
        message = f"Person {person!r} was not erased: others write to their streams all the time; try again."
        raise Unavailable(message)

    def _erase(self, connection: Connection, person: str, access: Access) -> Erasure:
        now = self._free_book(connection)
        lock_vault(connection, self._book)
        known = vault_entry(connection, self._book, person)
        # The key goes first: its row's lock waits for commits under way that use it, and keeps further ones
        # from it. What is read after this is all that was ever recorded on the person.
        destroyed = self._store.subject_keys.erase(connection, self._book, person, access.why)
        streams = held_streams(connection, self._book, person)
        if known is None and not streams:
            raise PersonUnknown(self._book, person)
        untold = [stream for stream in streams if not stream.erased]
        if destroyed:
            self._refuse_held(connection, person, streams)
        blank_directory(connection, self._book, person)
        events = self._tell(connection, person, untold, access.who, now)
        if destroyed or untold:
            record_access(connection, self._book, access, [Opened(person, None)])
        told = vault_entry(connection, self._book, person)
        return Erasure(
            person,
            erased_at=now if told is None or told.erased_at is None else told.erased_at,
            because=access.why if told is None or told.erased_because is None else told.erased_because,
            before=not destroyed and not untold,
            events=events,
            streams=[stream.stream.name for stream in streams],
        )

    def _free_book(self, connection: Connection) -> datetime:
        """Keep imports out and give the database's time. Raises BookUnknown, ImportOpen."""
        with connection.cursor() as cursor:
            cursor.execute(_BOOK, (self._book,))
            found = cursor.fetchone()
        if found is None:
            raise BookUnknown(self._book)
        import_id, now = cast("tuple[str | None, datetime]", found)
        if import_id is not None:
            raise ImportOpen(self._book)
        return now.astimezone(UTC)

    def _refuse_held(self, connection: Connection, person: str, streams: Sequence[HeldStream]) -> None:
        contracts = {contract for stream in streams for contract in stream.contracts}
        held = standing_holds(connection, self._book, contracts)
        if held:
            raise LegalHold(person, [hold.contract for hold in held])

    def _tell(
        self, connection: Connection, person: str, streams: Sequence[HeldStream], who: str, now: datetime
    ) -> Sequence[PendingEvent]:
        """Record SubjectErased on each stream. Raises VersionConflict when one has moved on."""
        if not streams:
            return ()
        command_id = f"subject-erase:{uuid4()}"
        events = [
            replace(
                _erased_on(stream, person),
                command_id=command_id,
                actor=who,
                contract=stream.contract,
                event_id=uuid4(),
            )
            for stream in streams
        ]
        heads = {stream.stream: stream.head for stream in streams}
        commit = Commit(self._book, events, heads, (), now)
        return self._ledger.record(commit, connection).events


def _erased_on(held: HeldStream, person: str) -> PendingEvent:
    """Make the event for one stream.

    An erasure is no business of the contract: it takes the `at` of the stream's last event, so that what time
    owes the stream, and what may still be imported on it, are what they would have been. When it happened is
    told by `recorded_at`.
    """
    return PendingEvent(
        held.stream, _event(held.stream.kind, person), brussels_date(held.last_at), held.last_at
    )


def _event(kind: StreamKind, person: str) -> Event:
    match kind:
        case "contract":
            return ContractSubjectErased(person=person)
        case "claim":
            return ClaimSubjectErased(person=person)
        case "complaint":
            return ComplaintSubjectErased(person=person)
