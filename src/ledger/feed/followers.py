"""Followers: whoever turns the feed into an effect, once, in order, missing nothing."""

from collections.abc import Sequence
from threading import Event as StopEvent
from typing import Final, Protocol, runtime_checkable
from uuid import UUID

import structlog

from ledger.feed.reading import FeedEvent, feed_events
from ledger.store.checkpoints import (
    Parked,
    checkpoint,
    is_behind,
    lock_checkpoint,
    move_checkpoint,
    park,
    parked_events,
    unpark,
    unpark_all,
)
from ledger.store.feed_rows import FeedRow, feed_end, select_feed
from ledger.store.patience import Backoff, is_transient
from ledger.store.pool import Connection, Pool, in_transaction

BATCH_POSITIONS: Final = 1_000
IDLE_SECONDS: Final = 0.05
"""Between two looks at the feed's end."""
TRANSIENT_TRIES: Final = 8
"""Tries of `catch_up` before it gives a transient error to its caller; `run` goes on for ever."""
LONGEST_ERROR: Final = 2_000

_log = structlog.get_logger(__name__)


class GapFound(Exception):
    """The feed skips a position, or ends before the checkpoint. The follower stops and does not guess."""


class Committed(Exception):
    """A follower ended the runner's transaction: its effect and its checkpoint could part."""


_HALTING: Final = (GapFound, Committed)


class Follower(Protocol):
    """Reads the feed and has an effect in the database, in the same transaction as its checkpoint."""

    name: str
    types: frozenset[str] | None
    """Event types wanted; None: all."""

    def apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        """Take effect of these events, in order, on this connection. Must not commit."""


@runtime_checkable
class Rebuilds(Protocol):
    """A follower whose whole effect can be dropped, and comes back by following from the start."""

    def forget(self, connection: Connection) -> None:
        """Drop all effect of the book's events. Must not commit."""


class FollowerRunner:
    """Runs one follower over one book. Any process may: the checkpoint's row lock lets one run at a time."""

    def __init__(self, pool: Pool, book: str, follower: Follower, *, batch: int = BATCH_POSITIONS) -> None:
        """`batch`: positions read and applied by one transaction at most."""
        self._pool = pool
        self._book = book
        self._follower = follower
        self._batch = batch

    def position(self) -> int:
        """Give the checkpoint: position of the last event that took effect, -1 before the first."""
        with self._pool.connection() as connection:
            return checkpoint(connection, self._book, self._follower.name)

    def catch_up(self, limit: int | None = None) -> int:
        """Follow to the feed's end, or for `limit` positions; number of positions passed.

        Raises GapFound, Committed, and what is transient once it was tried for some seconds.
        """
        passed, tries, backoff = 0, 0, Backoff()
        while limit is None or passed < limit:
            wanted = self._batch if limit is None else min(self._batch, limit - passed)
            try:
                advanced = self._advance(wanted)
            except Exception as error:
                tries += 1
                if not is_transient(error) or tries >= TRANSIENT_TRIES:
                    raise
                backoff.wait()
                continue
            if advanced == 0:
                break
            passed, tries = passed + advanced, 0
            backoff.reset()
        return passed

    def run(self, stop: StopEvent) -> None:
        """Follow until `stop` is set; what is transient is tried again for ever.

        Raises GapFound, Committed.
        """
        backoff = Backoff()
        while not stop.is_set():
            try:
                with self._pool.connection() as connection:
                    behind = is_behind(connection, self._book, self._follower.name)
                advanced = self._advance(self._batch) if behind else 0
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning(
                    "following_delayed", follower=self._follower.name, book=self._book, error=str(error)
                )
                backoff.wait(stop)
                continue
            backoff.reset()
            if advanced == 0:
                stop.wait(IDLE_SECONDS)

    def parked(self) -> Sequence[Parked]:
        """Events that the follower could not take, by position."""
        with self._pool.connection() as connection:
            return parked_events(connection, self._book, self._follower.name)

    def replay_parked(self) -> int:
        """Try the parked events again, in order; number that took effect now and are parked no more."""
        replayed = 0
        for parked in self.parked():
            try:
                with self._pool.transaction() as connection:
                    lock_checkpoint(connection, self._book, self._follower.name)
                    rows = select_feed(connection, self._book, parked.position - 1, 1, None)
                    self._apply(connection, feed_events(self._dense(rows, parked.position - 1, whole=True)))
                    unpark(connection, self._book, self._follower.name, parked.position)
                replayed += 1
            except Exception as error:
                if is_transient(error) or isinstance(error, _HALTING):
                    raise
                with self._pool.connection() as connection:
                    park(
                        connection, self._book, self._follower.name, parked._replace(error=_described(error))
                    )
        return replayed

    def start_over(self) -> bool:
        """Drop all effect, to follow again from the start; False for a follower that cannot."""
        if not isinstance(self._follower, Rebuilds):
            return False
        with self._pool.transaction() as connection:
            lock_checkpoint(connection, self._book, self._follower.name)
            self._follower.forget(connection)
            unpark_all(connection, self._book, self._follower.name)
            move_checkpoint(connection, self._book, self._follower.name, -1)
        return True

    def _advance(self, wanted: int) -> int:
        """Pass up to `wanted` positions: all at once, or where that fails one by one, past the poison."""
        try:
            return self._pass(wanted)
        except Exception as error:
            if is_transient(error) or isinstance(error, _HALTING):
                raise
            _log.warning(
                "batch_failed", follower=self._follower.name, book=self._book, error=_described(error)
            )
        passed = 0
        while passed < wanted and (advanced := self._pass_one_or_park()):
            passed += advanced
        return passed

    def _pass_one_or_park(self) -> int:
        tried = self.position() + 1
        try:
            return self._pass(1)
        except Exception as error:
            if is_transient(error) or isinstance(error, _HALTING):
                raise
            return self._park(tried, error)

    def _pass(self, wanted: int) -> int:
        """One transaction: lock the checkpoint, read on, take effect, move the checkpoint."""
        follower = self._follower
        with self._pool.transaction() as connection:
            position = lock_checkpoint(connection, self._book, follower.name)
            rows = self._read(connection, position, wanted)
            if not rows:
                return 0
            events = feed_events(row for row in rows if row.type is not None)
            if events:
                self._apply(connection, events)
            move_checkpoint(connection, self._book, follower.name, rows[-1].position)
        return len(rows)

    def _apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        self._follower.apply(connection, events)
        if not in_transaction(connection):
            message = (
                f"the follower {self._follower.name} ended the transaction that it was run in: it must "
                "not commit"
            )
            raise Committed(message)

    def _read(self, connection: Connection, position: int, wanted: int) -> Sequence[FeedRow]:
        """Read on from a position. Raises GapFound unless what is there follows without a gap."""
        rows = select_feed(connection, self._book, position, wanted, self._follower.types)
        if not rows:
            end = feed_end(connection, self._book)
            if end == position:
                return ()
            if end < position:
                message = (
                    f"the follower {self._follower.name} stands at position {position}, but the feed of book "
                    f"{self._book!r} ends at {end}: an older state was restored; rebuild what follows"
                )
                raise GapFound(message)
            rows = select_feed(connection, self._book, position, wanted, self._follower.types)
            if not rows:
                raise self._gap(position + 1)
        return self._dense(rows, position, whole=self._follower.types is None)

    def _park(self, position: int, error: Exception) -> int:
        """Park the event at a position and pass it, unless somebody else has passed it meanwhile."""
        follower = self._follower
        with self._pool.transaction() as connection:
            if lock_checkpoint(connection, self._book, follower.name) != position - 1:
                return 0
            [row] = self._dense(
                select_feed(connection, self._book, position - 1, 1, None), position - 1, whole=True
            )
            poison = Parked(
                row.position, row.stream, row.version, UUID(row.event_id), row.type, _described(error)
            )
            park(connection, self._book, follower.name, poison)
            move_checkpoint(connection, self._book, follower.name, row.position)
        _log.error("event_parked", follower=follower.name, book=self._book, position=poison.position)
        return 1

    def _dense(self, rows: Sequence[FeedRow], after: int, *, whole: bool) -> Sequence[FeedRow]:
        """Make sure that rows follow a position without a gap; `whole`: and that each has its event."""
        for expected, row in enumerate(rows, after + 1):
            if row.position != expected:
                raise self._gap(expected)
            if whole and row.type is None:
                message = f"position {expected} of the feed has no event any more: run `claims-ledger verify`"
                raise GapFound(message)
        return rows

    def _gap(self, position: int) -> GapFound:
        return GapFound(
            f"position {position} of the feed of book {self._book!r} is missing: run `claims-ledger verify`"
        )


def _described(error: Exception) -> str:
    """Describe an error for whoever looks at what was parked."""
    return f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
