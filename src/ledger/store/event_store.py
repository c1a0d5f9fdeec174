"""The store as the application sees it: load in one query, append in one round trip."""

from collections.abc import Sequence
from uuid import UUID

from ledger.domain.deciding import Needs
from ledger.domain.identifiers import StreamRef
from ledger.store.commit import Appended, Commit
from ledger.store.keys import MasterKeys
from ledger.store.loaded import FirstAnswer, Loaded
from ledger.store.pool import Pool


class EventStore:
    """Streams of events in Postgres."""

    def __init__(self, pool: Pool, keys: MasterKeys) -> None:
        """`keys` wrap each person's data key and each book's own keys."""

    def load(
        self, book: str, needs: Needs, command_id: str | None = None, sender: str | None = None
    ) -> Loaded:
        """Read all that one decision needs, in one query. Raises BookUnknown, Unreadable, Unreachable."""
        raise NotImplementedError

    def load_many(
        self,
        book: str,
        refs: Sequence[StreamRef],
        claims: Sequence[StreamRef] = (),
        commands: Sequence[tuple[str, str]] = (),
    ) -> Loaded:
        """Read what a chunk of an import needs, in one query.

        `claims`: streams whose present contract is wanted as well; `commands`: (sender, command id) pairs.
        """
        raise NotImplementedError

    def append(self, commit: Commit) -> Appended:
        """Record a commit, whole or not at all, in one round trip.

        Raises VersionConflict, CommandExists, SubjectErased, ImportOpen: nothing was recorded.
        Raises OutcomeUnknown when the connection broke under way: ask `answer_of`.
        """
        raise NotImplementedError

    def answer_of(self, book: str, sender: str, command_id: str) -> FirstAnswer | None:
        """First answer to a command, None when the command is not on record."""
        raise NotImplementedError

    def content_hmac(self, book: str, content: bytes) -> bytes:
        """Keyed hash of a command's content, the same for ever: its key is the book's own, made when first used."""
        raise NotImplementedError

    def open_personal(self, book: str, stream: StreamRef, versions: Sequence[int]) -> dict[int, dict[str, str]]:
        """Open the personal fields of these versions: version → dotted path → clear text, `[erased]` when gone."""
        raise NotImplementedError


class Books:
    """Rows of the books: created, their clocks moved, their imports opened and closed."""

    def __init__(self, pool: Pool) -> None: ...

    def open_import(self, book: str, digest: bytes) -> UUID:
        """Open an import, or go on with the one of the same digest that is open. Raises ImportOpen for another's."""
        raise NotImplementedError
