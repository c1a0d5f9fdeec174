"""The store as the application sees it: load in one query, append in one round trip."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, TypeVar

import psycopg2

from ledger.domain.deciding import Needs
from ledger.domain.event import holds_personal_values
from ledger.domain.identifiers import StreamRef
from ledger.store.appending import append_statement, recording
from ledger.store.book_keys import BookKeys, content_hmac
from ledger.store.commit import Appended, Commit
from ledger.store.errors import ImportOpen, NothingRecorded, SubjectKeysMoved, Unreachable
from ledger.store.keys import MasterKeys
from ledger.store.loaded import FirstAnswer, Loaded
from ledger.store.loading import first_answer, load, load_prepared
from ledger.store.personal_reading import open_personal
from ledger.store.pool import Connection, Pool
from ledger.store.rows import write_rows
from ledger.store.subject_keys import SubjectKey, SubjectKeys

T = TypeVar("T")

_TRIES_WHEN_KEYS_MOVE: Final = 5
_USUAL_EVENTS: Final = 8
"""Events of a commit, at most, for which statements are kept: each number of events is a text of its own."""


class EventStore:
    """Streams of events in Postgres, with the commands' answers and the persons' keys beside them."""

    def __init__(self, pool: Pool, masters: MasterKeys, *, prepares: bool = False) -> None:
        """`masters` wrap each person's data key and each book's own keys.

        `prepares`: connections may keep prepared statements, for they lead to the server without a pooler.
        """
        self._pool = pool
        self._prepares = prepares
        self.subject_keys = SubjectKeys(masters)
        self.book_keys = BookKeys(masters)

    def load(
        self, book: str, needs: Needs, command_id: str | None = None, sender: str | None = None
    ) -> Loaded:
        """Read all that one decision needs, in one query. Raises BookUnknown, Unreadable, Unreachable."""
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
        Raises BookUnknown, Unreadable, Unreachable.
        """
        if self._prepares and len(commands) == 1:
            [command] = commands
            return self._read(lambda connection: load_prepared(connection, book, refs, claims, command))
        return self._read(lambda connection: load(connection, book, refs, claims, commands))

    def append(self, commit: Commit) -> Appended:
        """Record a commit, whole or not at all, in one round trip (one more for personal data).

        Raises VersionConflict, CommandExists, SubjectErased, ImportOpen, Unreachable: nothing was recorded.
        Raises OutcomeUnknown when the connection broke under way: ask `answer_of`, never guess.
        """
        if not commit.events and not commit.answers:
            message = "a commit needs an event or an answer"
            raise NothingRecorded(message)
        persons = _persons_in(commit)
        with self._pool.connection() as connection:
            for _ in range(_TRIES_WHEN_KEYS_MOVE - 1):
                try:
                    return self._append(connection, commit, persons)
                except SubjectKeysMoved:
                    continue
            return self._append(connection, commit, persons)

    def refuse_erased(self, commit: Commit) -> None:
        """Look whether a commit would record something personal on somebody erased. Raises SubjectErased."""
        persons = _persons_in(commit)
        if persons:
            self._read(lambda connection: self.subject_keys.for_writing(connection, commit.book, persons))

    def answer_of(self, book: str, sender: str, command_id: str) -> FirstAnswer | None:
        """Give the first answer to a command, None when it is not on record. Raises Unreachable."""
        return self._read(lambda connection: first_answer(connection, book, sender, command_id))

    def content_hmac(self, book: str, content: bytes) -> bytes:
        """Hash a command's content with the book's own key, made when first used and never changed."""
        key = self.book_keys.opened(book, "content")
        if key is None:
            with self._pool.connection() as connection:
                key = self.book_keys.key(connection, book, "content")
        return content_hmac(key, content)

    def open_personal(
        self, book: str, stream: StreamRef, versions: Sequence[int]
    ) -> Mapping[int, Mapping[str, str]]:
        """Open these versions' personal fields: version → dotted path → clear text, `[erased]` when gone.

        Whoever calls this has made sure of the reader's right and of the access log. Raises Unreadable,
        Unreachable.
        """
        return self._read(
            lambda connection: open_personal(connection, self.subject_keys, book, stream, versions)
        )

    def _append(self, connection: Connection, commit: Commit, persons: Collection[str]) -> Appended:
        keys: Mapping[str, SubjectKey] = (
            self.subject_keys.for_writing(connection, commit.book, persons) if persons else {}
        )
        written = write_rows(commit, keys)
        statement = append_statement(commit, written.rows, keys)
        run = statement.run_prepared if self._prepares and _is_usual(commit) else statement.run
        try:
            with recording(connection, commit):
                run(connection)
        except ImportOpen:
            load(
                connection, commit.book, (), (), ()
            )  # The statement cannot tell a held book from none: raises if none.
            raise
        return written.appended

    def _read(self, query: Callable[[Connection], T]) -> T:
        """Run a query, once more on another connection where the first one had died while it idled."""
        try:
            return self._read_once(query)
        except Unreachable:
            return self._read_once(query)

    def _read_once(self, query: Callable[[Connection], T]) -> T:
        with self._pool.connection() as connection:
            try:
                return query(connection)
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                raise Unreachable.broken(error) from error


def _is_usual(commit: Commit) -> bool:
    """Say whether a commit's statements are few enough in kind for a connection to keep them prepared."""
    return len(commit.events) <= _USUAL_EVENTS and len(commit.answers) == 1 and commit.import_id is None


def _persons_in(commit: Commit) -> frozenset[str]:
    """Name the persons of whom a commit records something personal."""
    return frozenset(
        new.entry.subject
        for new in commit.events
        if new.entry.subject is not None and holds_personal_values(new.entry.event)
    )
