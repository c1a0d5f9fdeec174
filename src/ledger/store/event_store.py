"""The store as the application reads it: all that a decision needs, in one query."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import psycopg2

from ledger.domain.dispatch import Needs
from ledger.domain.event import PendingEvent, holds_personal_values
from ledger.domain.identifiers import StreamRef
from ledger.store.errors import DatabaseUnavailable
from ledger.store.keys import BookKeys, MasterKeys, SubjectKey, SubjectKeys, content_hmac
from ledger.store.load import FirstAnswer, Loaded, first_answer, load, load_prepared
from ledger.store.pool import Connection, Pool
from ledger.store.vault import open_personal

T = TypeVar("T")


class EventStore:
    """Streams of events in Postgres, with the commands' answers and the persons' keys beside them."""

    def __init__(self, pool: Pool, masters: MasterKeys, *, prepares: bool = False) -> None:
        """`masters` wrap each person's data key and each book's own keys.

        `prepares`: connections may keep prepared statements, for they lead to the server without a pooler.
        """
        self.pool = pool
        self.prepares = prepares
        self.subject_keys = SubjectKeys(masters)
        self.book_keys = BookKeys(masters)

    def load(
        self, book: str, needs: Needs, command_id: str | None = None, sender: str | None = None
    ) -> Loaded:
        """Read all that one decision needs, in one query.

        Raises BookUnknown, Unreadable, DatabaseUnavailable.
        """
        claims = (needs.contract_of,) if needs.contract_of is not None else ()
        commands = ((sender, command_id),) if sender is not None and command_id is not None else ()
        return self.load_many(book, needs.streams, claims, commands)

    def load_many(
        self,
        book: str,
        refs: Sequence[StreamRef],
        claims: Sequence[StreamRef] = (),
        commands: Sequence[tuple[str, str]] = (),
    ) -> Loaded:
        """Read what a chunk of an import needs, in one query.

        `claims`: streams whose present contract is wanted as well; `commands`: (sender, command id) pairs.
        Raises BookUnknown, Unreadable, DatabaseUnavailable.
        """
        if self.prepares and len(commands) == 1:
            [command] = commands
            return self._read(lambda connection: load_prepared(connection, book, refs, claims, command))
        return self._read(lambda connection: load(connection, book, refs, claims, commands))

    def keys_for(self, book: str, events: Sequence[PendingEvent]) -> Mapping[str, SubjectKey]:
        """Read or make the keys that seal what is personal in these events, by person.

        Raises SubjectErased, DatabaseUnavailable.
        """
        persons = {
            event.subject
            for event in events
            if event.subject is not None and holds_personal_values(event.event)
        }
        if not persons:
            return {}
        return self._read(lambda connection: self.subject_keys.for_writing(connection, book, persons))

    def answer_of(self, book: str, sender: str, command_id: str) -> FirstAnswer | None:
        """Return the first answer to a command, None when it is not on record. Raises DatabaseUnavailable."""
        return self._read(lambda connection: first_answer(connection, book, sender, command_id))

    def content_hmac(self, book: str, content: bytes) -> bytes:
        """Hash a command's content with the book's own key, made when first used and never changed."""
        key = self.book_keys.opened(book, "content")
        if key is None:
            with self.pool.connection() as connection:
                key = self.book_keys.key(connection, book, "content")
        return content_hmac(key, content)

    def open_personal(
        self, book: str, stream: StreamRef, versions: Sequence[int]
    ) -> Mapping[int, Mapping[str, str]]:
        """Open these versions' personal fields: version → dotted path → clear text, `[erased]` when gone.

        Whoever calls this has made sure of the reader's right and of the access log. Raises Unreadable,
        DatabaseUnavailable.
        """
        return self._read(
            lambda connection: open_personal(connection, self.subject_keys, book, stream, versions)
        )

    def _read(self, query: Callable[[Connection], T]) -> T:
        """Run a query, once more on another connection where the first one had died while it idled."""
        try:
            return self._read_once(query)
        except DatabaseUnavailable:
            return self._read_once(query)

    def _read_once(self, query: Callable[[Connection], T]) -> T:
        with self.pool.connection() as connection:
            try:
                return query(connection)
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                raise DatabaseUnavailable.broken(error) from error
