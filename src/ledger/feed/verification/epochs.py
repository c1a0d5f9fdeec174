"""The log's names: one epoch unless it was put back, each with the name that its heads bear."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from ledger.feed.verification.fault import NotVerified
from ledger.store.errors import BookUnknown
from ledger.store.log import Epoch, select_epochs
from ledger.store.pool import Connection

_BOOK: Final = "select epoch, origin, kind from ledger.books where book = %s"
_END: Final = "select position from ledger.log where book = %s order by position desc limit 1"


class LogNames(NamedTuple):
    """The epochs of a book's log, the first one first."""

    epochs: Sequence[Epoch]
    is_simulated: bool

    @property
    def origin(self) -> str:
        """The log's present name."""
        return self.epochs[-1].origin

    def origin_in(self, epoch: int) -> str | None:
        """Give the log's name in an epoch; None if it never had such a one."""
        return self.epochs[epoch - 1].origin if 1 <= epoch <= len(self.epochs) else None

    def binds(self, epoch: int, size: int) -> bool:
        """Say whether a head of this epoch and size stands for what the log holds now.

        What an epoch had beyond the position from which a later one began was lost with the restore.
        """
        return all(size <= later.from_position for later in self.epochs if later.epoch > epoch)


def log_names(connection: Connection, book: str, kept: Sequence[Epoch]) -> LogNames:
    """Read the log's names and check that they hang together. Raises NotVerified, BookUnknown.

    `kept`: the epochs as they are kept beside the key, none where the log never began a further one.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BOOK, (book,))
        found = cursor.fetchone()
    if found is None:
        raise BookUnknown(book)
    said_epoch, origin, kind = found
    if ("simulated" in origin.split("/")[2:]) != (kind == "simulated"):
        raise NotVerified(None, f"ledger.books, {book}", f"it is {kind}, but its log is called {origin}")
    epochs = select_epochs(connection, book)
    for place, epoch in enumerate(epochs, 1):
        row = f"ledger.epochs, epoch {epoch.epoch}"
        if epoch.epoch != place:
            raise NotVerified(None, row, f"epoch {place} is missing: its row was deleted")
        if kept and epoch != (kept[place - 1] if place <= len(kept) else None):
            raise NotVerified(None, row, "it is not the epoch that is kept beside the key: one was altered")
    last = epochs[-1] if epochs else None
    if last is None or (last.epoch, last.origin) != (said_epoch, origin) or len(kept) > len(epochs):
        reason = (
            f"the book says epoch {said_epoch} of the log {origin}, the list of epochs does not end with it"
        )
        raise NotVerified(None, f"ledger.books, {book}", reason)
    return LogNames(epochs, kind == "simulated")


def log_size(connection: Connection, book: str) -> int:
    """Give the number of positions up to the newest."""
    with connection.cursor() as cursor:
        cursor.execute(_END, (book,))
        found = cursor.fetchone()
    return 0 if found is None else int(found[0]) + 1
