"""One item that cannot be handled never stops the others.

Whoever works through letters, mails or places tries each item alone. One that fails is counted, put off
with growing pauses, and parked after its last try; it is shown by `doctor`, on Today, in the digest and as a
metric, and goes on when somebody replays it (`coverledger parked replay`).

    attempts = Attempts(pool, book, "letters")
    attempts.each(letters, write, key=lambda letter: letter.reference)

What lies with the database, the book or the machine (it is away, an import is open, the disk is full) is no
item's fault: it is not counted but raised, and whoever runs the work tries the whole round again.
"""

import errno
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import structlog

from ledger.store.errors import (
    BookUnknown,
    DatabaseUnavailable,
    ImportOpen,
    KeyFileRefused,
    LogBroken,
    MasterKeyMissing,
)
from ledger.store.pool import Connection, Pool
from ledger.supervision import moved

T = TypeVar("T")

SCHEDULE: Final = (
    timedelta(seconds=10),
    timedelta(seconds=30),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
)
"""Pauses after the first failed try, the second, and so on; after the last of them an item is parked."""

LONGEST_ERROR: Final = 500

_OF_THE_LEDGER: Final = (
    DatabaseUnavailable,
    BookUnknown,
    ImportOpen,
    KeyFileRefused,
    LogBroken,
    MasterKeyMissing,
)
_MACHINE_ERRORS: Final = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.EACCES,
        errno.EPERM,
    }
)

_NOT_DUE: Final = """
select item from ledger.attempts
where book = %s and worker = %s and (next_at is null or next_at > clock_timestamp())
"""
_TRIES: Final = "select tries from ledger.attempts where book = %s and worker = %s and item = %s"
_FAILED: Final = """
insert into ledger.attempts as known (book, worker, item, tries, error, first_at, last_at, next_at)
values (%(book)s, %(worker)s, %(item)s, 1, %(error)s, clock_timestamp(), clock_timestamp(),
        clock_timestamp() + %(pause)s)
on conflict (book, worker, item) do update
    set tries = known.tries + 1, error = excluded.error, last_at = excluded.last_at,
        next_at = excluded.next_at
"""
_FORGET: Final = "delete from ledger.attempts where book = %s and worker = %s and item = any (%s)"
_FAILING: Final = """
select worker, item, tries, error, first_at, last_at, next_at from ledger.attempts
where book = %s order by worker, next_at is not null, first_at, item
"""
_REPLAY: Final = """
update ledger.attempts set next_at = clock_timestamp(), tries = 0
where book = %(book)s
  and (%(worker)s::text is null or worker = %(worker)s) and (%(item)s::text is null or item = %(item)s)
"""

_log = structlog.get_logger(__name__)


class ItemFailed(Exception):
    """One item cannot be handled. The message is stored and shown: it holds nothing personal."""

    def __init__(self, message: str, *, retry: bool = True) -> None:
        """`retry`: whether the same attempt may succeed later; without it the item is parked at once."""
        super().__init__(message)
        self.retry = retry


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of one round over a worker's items."""

    done: int
    failed: int
    waiting: int
    """Those that were not tried: their next try is not due, or they are parked."""


class FailingItem(NamedTuple):
    """An item that failed when it was last tried."""

    worker: str
    item: str
    tries: int
    error: str
    first_at: datetime
    last_at: datetime
    next_at: datetime | None

    @property
    def is_parked(self) -> bool:
        """Whether nobody tries it any more until it is replayed."""
        return self.next_at is None


class Attempts:
    """The tries of one worker in one book. Programs and threads may share it."""

    def __init__(
        self, pool: Pool, book: str, worker: str, *, schedule: Sequence[timedelta] = SCHEDULE
    ) -> None:
        """`worker`: what it is called wherever its failures are shown, such as `letters`."""
        self._pool = pool
        self._book = book
        self._worker = worker
        self._schedule = schedule

    def due(self, items: Sequence[T], key: Callable[[T], str]) -> list[T]:
        """Return the items that may be tried now, in their order."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_NOT_DUE, (self._book, self._worker))
            not_due = {item for (item,) in cursor}
        return [item for item in items if key(item) not in not_due]

    def run(self, key: str, act: Callable[[], object]) -> bool:
        """Try one item, whether its next try is due or not; return whether it succeeded.

        Raises what is no item's fault: errors of the ledger as a whole, such as DatabaseUnavailable and
        ImportOpen,
        and an OSError that lies with the machine (no room, read-only).
        """
        try:
            act()
        except Exception as error:
            if not is_of_an_item(error):
                raise
            self._failed(key, error)
            return False
        finally:
            moved()
        self.forget(key)
        return True

    def each(self, items: Sequence[T], act: Callable[[T], object], *, key: Callable[[T], str]) -> Tally:
        """Try each item that is due, alone.

        Raises as `run`; what lies with the machine once all have been tried, for a file that may not be
        written stands perhaps in the way of one item only.
        """
        due, done = self.due(items, key), 0
        of_the_machine: Exception | None = None
        for item in due:
            try:
                done += self.run(key(item), partial(act, item))
            except (OSError, MemoryError) as error:
                of_the_machine = of_the_machine or error
        if of_the_machine is not None:
            raise of_the_machine
        return Tally(done, len(due) - done, len(items) - len(due))

    def forget(self, *keys: str) -> None:
        """Drop the record of items' failures: they succeeded, or are wanted no more."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_FORGET, (self._book, self._worker, list(keys)))

    def _failed(self, key: str, error: Exception) -> None:
        message = str(error) if isinstance(error, ItemFailed) else type_and_place(error)
        retry = not isinstance(error, ItemFailed) or error.retry
        with self._pool.transaction() as connection, connection.cursor() as cursor:
            cursor.execute(f"{_TRIES} for update", (self._book, self._worker, key))
            found = cursor.fetchone()
            tries = int(found[0]) if found else 0
            pause = self._schedule[tries] if retry and tries < len(self._schedule) else None
            cursor.execute(
                _FAILED,
                {
                    "book": self._book,
                    "worker": self._worker,
                    "item": key,
                    "error": " ".join(message.split())[:LONGEST_ERROR],
                    "pause": pause,
                },
            )
        _log.warning(
            "item_failed",
            book=self._book,
            worker=self._worker,
            item=key,
            error=message,
            tries=tries + 1,
            parked=pause is None,
        )


def failing(connection: Connection, book: str) -> list[FailingItem]:
    """Return a book's items that failed when they were last tried; of each worker the parked ones first."""
    with connection.cursor() as cursor:
        cursor.execute(_FAILING, (book,))
        return [FailingItem._make(row) for row in cursor]


def replay(connection: Connection, book: str, *, worker: str | None = None, item: str | None = None) -> int:
    """Schedule items for their worker's next round, their tries counted anew; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_REPLAY, {"book": book, "worker": worker, "item": item})
        return int(cursor.rowcount)


def is_of_an_item(error: Exception) -> bool:
    """Whether an error may lie with the one item at hand, and not with the ledger or the machine."""
    return not isinstance(error, _OF_THE_LEDGER) and not _is_of_the_machine(error)


def _is_of_the_machine(error: Exception) -> bool:
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _MACHINE_ERRORS)


def type_and_place(error: Exception) -> str:
    """Return the type and place of an error nobody foresaw, without its text, which may quote a person."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {Path(frames[-1].filename).name}, line {frames[-1].lineno}"
