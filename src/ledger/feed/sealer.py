"""The sealer: gives each committed event its position in the feed."""

from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event as StopEvent
from typing import Final

import structlog

from ledger.feed.patience import Backoff, is_transient
from ledger.store.pool import Connection, Pool
from ledger.store.sealing import any_pending, seal_batch

Grow = Callable[[Connection, str, int, Sequence[bytes]], None]
"""Called in the sealing transaction with (connection, book, first position, leaf hashes) of what it seals."""

BATCH_COMMITS: Final = 1_000
PAUSE_SECONDS: Final = 0.02
"""Between two batches that were not full: a few commits sealed together cost hardly more than one."""
IDLE_SECONDS: Final = 0.1
"""Between two looks when nothing was pending, unless somebody calls `wake`."""

_log = structlog.get_logger(__name__)


class Sealer:
    """Seals one book. Any number may run: the lock on the book's row lets one seal at a time."""

    def __init__(
        self,
        pool: Pool,
        book: str,
        *,
        batch: int = BATCH_COMMITS,
        grow: Grow | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        """`pool` connects as the sealer's role. `batch`: commits that one transaction seals at most.

        `grow`: keeps the Merkle log in step, in the same transaction. `now`: in place of the database's time.
        """
        self._pool = pool
        self._book = book
        self._batch = batch
        self._grow = grow
        self._now = now
        self._awake = StopEvent()

    def seal_once(self) -> int:
        """Seal one batch; number of commits sealed, 0 when nothing is pending or all of it waits.

        Raises BookUnknown, LogBroken, Unreachable, and whatever `grow` raises: then nothing was sealed.
        """
        with self._pool.connection() as connection:
            if not any_pending(connection, self._book):
                return 0
        with self._pool.transaction() as connection:
            sealed = seal_batch(connection, self._book, self._batch, self._now() if self._now else None)
            if sealed.commits and self._grow is not None:
                self._grow(connection, self._book, sealed.first_position, sealed.leaf_hashes)
        return sealed.commits

    def seal_all(self) -> int:
        """Seal until nothing more can be sealed; number of commits sealed. Raises as `seal_once`."""
        total = 0
        while sealed := self.seal_once():
            total += sealed
        return total

    def run(self, stop: StopEvent) -> None:
        """Seal until `stop` is set. What is transient is tried again; anything else is raised: halt, never guess."""
        backoff = Backoff()
        while not stop.is_set():
            try:
                sealed = self.seal_once()
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("sealing_delayed", book=self._book, error=str(error))
                backoff.wait(stop)
                continue
            backoff.reset()
            if sealed == 0:
                self._awake.wait(IDLE_SECONDS)
                self._awake.clear()
            elif sealed < self._batch:
                stop.wait(PAUSE_SECONDS)

    def wake(self) -> None:
        """Tell a sealer that runs in this process that there is something to seal, or that it is to stop."""
        self._awake.set()
