"""What the store says when it cannot do what it was asked."""

from uuid import UUID


class StoreError(Exception):
    """Base of all that the store raises; its message is one line that says what to do next."""


class VersionConflict(StoreError):
    """Another commit has recorded one of these versions first: load again and decide again."""

    def __init__(
        self, message: str = "a stream has moved on since it was loaded: load and decide again"
    ) -> None:
        super().__init__(message)


class CommandExists(StoreError):
    """The command's id is on record already: its first answer stands (I10)."""

    def __init__(self, sender: str, command_id: str) -> None:
        super().__init__(f"command {command_id!r} of {sender!r} is on record already: read its first answer")
        self.sender = sender
        self.command_id = command_id


class SubjectErased(StoreError):
    """A person's key is destroyed: nothing personal can be recorded on that person any more."""

    def __init__(self, person: str) -> None:
        super().__init__(f"person {person!r} was erased: record nothing personal on them")
        self.person = person


class ImportOpen(StoreError):
    """An import holds the book, or the import that commits does not hold it (any more)."""

    def __init__(self, book: str) -> None:
        super().__init__(
            f"an import is open on book {book!r}: finish it, or give it up with `import --abandon`"
        )
        self.book = book


class BookUnknown(StoreError):
    """The book has no row: it was never created here."""

    def __init__(self, book: str) -> None:
        super().__init__(
            f"book {book!r} does not exist here: create it with `coverledger init --book {book}`"
        )
        self.book = book


class DatabaseUnavailable(StoreError):
    """No connection to the database could be had, or it broke while reading: nothing was recorded."""

    may_be_logged = True

    @classmethod
    def broken(cls, error: Exception) -> "DatabaseUnavailable":
        """Return the error of a connection that broke while something was read."""
        return cls(
            f"the connection to the ledger's database broke ({' '.join(str(error).split())}): try again"
        )


class OutcomeUnknown(StoreError):
    """The connection broke while a commit was under way: look the command's id up, never guess."""


class DatabaseRefused(StoreError):
    """The database refused a statement for a reason of its own; nothing was recorded."""

    def __init__(self, reason: str, pgcode: str | None = None) -> None:
        super().__init__(f"the database refused: {' '.join(reason.split())}")
        self.pgcode = pgcode


class SubjectKeysMoved(StoreError):
    """A person's key was made or destroyed by somebody else meanwhile: read the keys again."""

    def __init__(self) -> None:
        super().__init__("a person's key was made or destroyed meanwhile: read the keys again")


class Unreadable(StoreError):
    """A stored event does not read as its type and schema version say."""

    def __init__(self, stream: str, version: int, reason: str) -> None:
        super().__init__(f"event {version} of {stream} cannot be read: {reason}")
        self.stream = stream
        self.version = version


class KeyFileRefused(StoreError):
    """The master key's file is missing, malformed, or open to others than its owner."""

    may_be_logged = True


class MasterKeyMissing(StoreError):
    """Something is wrapped by a master key that the key file does not hold."""


class MigrationRefused(StoreError):
    """A migration that was applied is not the one that is here, or one is missing."""


class LogBroken(StoreError):
    """The log does not hold what it must: halt rather than guess."""

    may_be_told = True


class NotTheOperator(StoreError):
    """The login may not act for the whole database."""

    def __init__(self) -> None:
        super().__init__(
            "this is the operator's to do: set COVERLEDGER_MIGRATE_DSN to the login that migrates, and try "
            "again"
        )


class NothingRecorded(StoreError):
    """A commit with neither an event nor an answer records nothing, and is a mistake of its caller."""


class StreamUnknown(StoreError):
    """No stream has this id here."""

    def __init__(self, stream_id: UUID) -> None:
        super().__init__(f"no stream has the id {stream_id}")
