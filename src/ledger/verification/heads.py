"""The log's epochs, and its signed heads as the database keeps them, opened by keys from elsewhere."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Protocol

from ledger.proofs.checkpoints import Checkpoint, open_signed, peek_checkpoint
from ledger.proofs.errors import BadNote
from ledger.proofs.notes import VerifierKey, WitnessedHead, WitnessKey, cosignatures, is_signed_by_any
from ledger.store.errors import BookUnknown
from ledger.store.log import NOTE, Epoch, select_epochs
from ledger.store.pool import Connection
from ledger.store.sql import compose
from ledger.verification.findings import NotVerified

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
        """Return the log's name in an epoch; None if it never had such a one."""
        return self.epochs[epoch - 1].origin if 1 <= epoch <= len(self.epochs) else None

    def binds(self, epoch: int, size: int) -> bool:
        """Return whether a head of this epoch and size stands for what the log holds now.

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
    """Return the number of positions up to the newest."""
    with connection.cursor() as cursor:
        cursor.execute(_END, (book,))
        found = cursor.fetchone()
    return 0 if found is None else int(found[0]) + 1


_BETWEEN: Final = compose(
    """
select c.epoch, c.size, c.root, {note} from ledger.checkpoints c
where c.book = %s and c.size > %s and c.size <= %s order by c.size, c.epoch
""",
    note=NOTE,
)
# A head that stands for what was lost when the log was put back stands for nothing here.
_BINDING: Final = """
c.book = %s and not exists (
    select from ledger.epochs later
    where later.book = c.book and later.epoch > c.epoch and later.from_position < c.size
)
"""
_COUNT: Final = compose("select count(*) from ledger.checkpoints c where {binding}", binding=_BINDING)
_STRAY: Final = compose(
    """
select epoch, size from ledger.checkpoints c where {binding} and (size < 1 or size > %s)
order by size limit 1
""",
    binding=_BINDING,
)
_COSIGNED: Final = compose(
    """
select c.epoch, c.size, {note} from ledger.head_signatures w
join ledger.checkpoints c on c.book = w.book and c.epoch = w.epoch and c.size = w.size
where w.book = %s and w.name = %s and w.key_id = %s order by c.epoch desc, c.size desc
""",
    note=NOTE,
)
_IS_THERE: Final = "select note from ledger.checkpoints where book = %s and epoch = %s and size = %s"


class StoredHead(NamedTuple):
    """One row of `ledger.checkpoints`."""

    epoch: int
    size: int
    root: bytes
    note: str

    @property
    def row(self) -> str:
        """The row in words."""
        return _row(self.epoch, self.size)


class KnownKeys(Protocol):
    """The keys that may have signed a head, from a place that the database cannot write to."""

    def verifier_keys(self, epoch: int, size: int) -> list[VerifierKey]:
        """Return the keys that count under a head of this epoch and size."""
        ...


def heads_between(connection: Connection, book: str, first: int, end: int) -> list[StoredHead]:
    """Read the heads of more than `first` and at most `end` events, by size."""
    with connection.cursor() as cursor:
        cursor.execute(_BETWEEN, (book, first, end))
        return [StoredHead(epoch, size, bytes(root), note) for epoch, size, root, note in cursor.fetchall()]


def opened_head(
    head: StoredHead, origin: str | None, keys: KnownKeys, proven: int, *, may_be_older: bool
) -> tuple[Checkpoint, tuple[VerifierKey, ...]]:
    """Check a head's signature, and that its row says what it says; gives it with the keys that signed it.

    `origin`: the name of the log in the head's epoch, None where there is no such epoch; `proven`: positions
    below it are; `may_be_older`: signed by no key that is given, as those from before a rotation are: then
    nobody of these signed it. Raises NotVerified.
    """
    if origin is None:
        raise NotVerified(proven, head.row, f"the log never had an epoch {head.epoch}: the head was altered")
    known = keys.verifier_keys(head.epoch, head.size)
    signed_by: tuple[VerifierKey, ...] = ()
    try:
        if may_be_older and not is_signed_by_any(head.note, known):
            signed = peek_checkpoint(head.note)
        else:
            signed, signed_by = open_signed(head.note, known)
    except BadNote as error:
        raise NotVerified(proven, head.row, f"{error}") from error
    if signed.origin != origin:
        raise NotVerified(proven, head.row, f"the head is of the log {signed.origin}, not of {origin}")
    if (signed.size, signed.root) != (head.size, head.root):
        reason = f"its note is of {signed.size} events and another root or size than its row: one was altered"
        raise NotVerified(proven, head.row, reason)
    return signed, signed_by


def check_no_other_heads(connection: Connection, book: str, size: int, seen: int) -> None:
    """Refuse heads that belong to no size of the log; `seen`: how many were passed. Raises NotVerified."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, (book,))
        [(count,)] = cursor.fetchall()
        if count == seen:
            return
        cursor.execute(_STRAY, (book, size))
        stray = cursor.fetchone()
    if stray is None:
        reason = f"it has {count} heads of this log, but {seen} were passed"
        raise NotVerified(None, "ledger.checkpoints", reason)
    reason = f"the log has {size} events: it was cut, or the head was put in"
    raise NotVerified(size, _row(*stray), reason)


def witnessed_heads(
    connection: Connection, book: str, names: LogNames, witnesses: Iterable[WitnessKey], size: int
) -> list[WitnessedHead]:
    """Return the newest head of a log of `size` events, found sound, that each witness has cosigned.

    Raises NotVerified for a cosignature that does not fit its head.
    """
    found = []
    for key in dict.fromkeys(witnesses):
        with connection.cursor() as cursor:
            cursor.execute(_COSIGNED, (book, key.name, key.key_id))
            for epoch, head_size, note in cursor.fetchall():
                if head_size > size or not names.binds(epoch, head_size):
                    continue
                try:
                    [cosigned] = cosignatures(note, [key])
                except BadNote as error:
                    raise NotVerified(None, _row(epoch, head_size), str(error)) from error
                found.append(WitnessedHead(key, head_size, cosigned.at))
                break
    return found


def is_published(connection: Connection, book: str, epoch: int, size: int) -> bool:
    """Return whether a head of this epoch and size stands in the database."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_THERE, (book, epoch, size))
        return cursor.fetchone() is not None


def _row(epoch: int, size: int) -> str:
    return f"ledger.checkpoints, size {size}" + (f", epoch {epoch}" if epoch > 1 else "")
