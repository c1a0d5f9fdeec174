"""The sealer: gives each committed event its position in the feed."""

from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event as StopEvent
from time import monotonic
from typing import Final

import structlog

from ledger.sealing.checkpoints import grow as grow_the_log
from ledger.sealing.signer import Signs
from ledger.store.pool import Connection, Pool
from ledger.store.retry import is_transient
from ledger.store.sealing import SealedBatch, any_pending, seal_batch
from ledger.supervision import moved, told_of

Grow = Callable[[Connection, str, int, Sequence[bytes]], None]
"""Called in the sealing transaction with (connection, book, first position, leaf hashes) of what it seals."""

OnSealed = Callable[[SealedBatch], None]
"""Called with each batch once it is sealed, in the sealer's thread."""

BATCH_COMMITS: Final = 1_000
PAUSE_SECONDS: Final = 0.05
"""At most, between two batches that were not full: few commits sealed together cost hardly more than one."""
PAUSE_FOR_WORK: Final = 2.0
"""The pause is so many times what the batch took: a lone caller, whose seal is quick, hardly waits for it."""
PAUSE_A_COMMIT_SECONDS: Final = 0.001
"""And so much more for each commit of the batch: where many write, they are gathered, and not held up."""
IDLE_SECONDS: Final = 0.1
"""Between two looks when nothing was pending, unless somebody calls `wake`."""
SIGN_SECONDS: Final = 1.0
"""Between two signed heads while something is sealed."""

_log = structlog.get_logger(__name__)


class Sealer:
    """Seals one book. Any number may run: the lock on the book's row lets one seal at a time."""

    def __init__(  # noqa: PLR0913  # each a part that tests or benchmarks replace
        self,
        pool: Pool,
        book: str,
        *,
        batch: int = BATCH_COMMITS,
        grow: Grow | None = grow_the_log,
        signer: Signs | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        """`pool` connects as the sealer's role. `batch`: commits that one transaction seals at most.

        `grow`: keeps the Merkle log in step, in the same transaction; None: left to a later batch.
        `signer`: is asked before anything is sealed, and signs what was. `now`: the time, in tests.
        """
        self._pool = pool
        self._book = book
        self._batch = batch
        self._grow = grow
        self._signer = signer
        self._check_at = self._sign_at = 0.0
        self._unsigned = False
        self._now = now
        self._awake = StopEvent()
        self._listening: list[OnSealed] = []

    def seal_once(self) -> int:
        """Seal one batch; number of commits sealed, 0 when nothing is pending or all of it waits.

        Raises BookUnknown, LogBroken, DatabaseUnavailable, and what `grow` and the signer raise: nothing was
        sealed.
        """
        with self._pool.connection() as connection:
            if not any_pending(connection, self._book):
                return 0
        if monotonic() >= self._check_at:
            self._check()
        with self._pool.transaction() as connection:
            sealed = seal_batch(connection, self._book, self._batch, self._now() if self._now else None)
            if sealed.commits and self._grow is not None:
                self._grow(connection, self._book, sealed.first_position, sealed.leaf_hashes)
        if sealed.commits:
            for told in self._listening:
                told(sealed)
        return sealed.commits

    def seal_all(self) -> int:
        """Seal until nothing more can be sealed; number of commits sealed. Raises as `seal_once`."""
        total = 0
        while sealed := self.seal_once():
            total += sealed
        return total

    def keep_up(self) -> int:
        """Seal all, for a program that does its own sealing; number of commits sealed.

        Signs at most about once a second: `finish` signs the rest. Raises as `seal_once`.
        """
        if monotonic() >= self._check_at:
            self._check()
        sealed = self.seal_all()
        self._sign_when_due(sealed)
        return sealed

    def finish(self) -> None:
        """Sign what was sealed and is not signed yet. Raises as the signer."""
        if self._signer is None or not self._unsigned:
            return
        self._unsigned = False
        try:
            self._signer.sign()
        except Exception:
            self._unsigned = True
            raise
        self._sign_at = monotonic() + SIGN_SECONDS

    def run(self, stop: StopEvent) -> None:
        """Seal until `stop` is set. Raises as `seal_once`, whatever it is: halt, never guess."""
        self._check()
        while not stop.is_set():
            begun = monotonic()
            sealed = self.seal_once()
            took = monotonic() - begun
            self._sign_when_due(sealed)
            moved()
            if sealed == 0:
                self._awake.wait(IDLE_SECONDS)
                self._awake.clear()
            elif sealed < self._batch:
                stop.wait(min(PAUSE_SECONDS, PAUSE_FOR_WORK * took + PAUSE_A_COMMIT_SECONDS * sealed))
        try:
            self.finish()
        except Exception as error:
            if not is_transient(error):
                raise
            self._unsigned = False  # The next start signs it.
            _log.warning("signing_left", book=self._book, error=told_of(error))

    def wake(self) -> None:
        """Wake a sealer that runs in this process: there is something to seal, or it is to stop."""
        self._awake.set()

    def listen(self, told: OnSealed) -> Callable[[], None]:
        """Call `told` with each batch once it is sealed in this process; gives what ends that.

        A hint, for those who would wait otherwise: another process may seal as well. Must not raise.
        """
        self._listening = [*self._listening, told]

        def end() -> None:
            self._listening = [listening for listening in self._listening if listening is not told]

        return end

    def _sign_when_due(self, sealed: int) -> None:
        self._unsigned = self._unsigned or sealed > 0
        if monotonic() >= self._sign_at:
            self.finish()

    def _check(self) -> None:
        """Ensure that there is a log to go on from: one that extends what was signed."""
        if self._signer is not None and not self._signer.check():
            self._unsigned = True
        self._check_at = monotonic() + SIGN_SECONDS
