"""Followers: whoever turns the feed into an effect, once, in order, missing nothing.

Whoever reads a range of the feed gets it without a gap, or a halt: nothing is guessed on a broken log.
"""

from collections.abc import Sequence
from threading import Event as StopEvent
from typing import Final, NamedTuple, Protocol, runtime_checkable
from uuid import UUID

import structlog
from tenacity import RetryCallState

from ledger.feed.reader import FeedEvent, feed_events
from ledger.store.feed import (
    FeedRow,
    Parked,
    checkpoint,
    feed_end,
    is_behind,
    lock_checkpoint,
    move_checkpoint,
    park,
    parked_events,
    parked_streams,
    select_feed,
    unpark,
    unpark_all,
)
from ledger.store.pool import Connection, Pool, in_transaction
from ledger.store.retry import is_transient, retrying

BATCH_POSITIONS: Final = 1_000
IDLE_SECONDS: Final = 0.05
"""Between two looks at the feed's end."""
TRANSIENT_TRIES: Final = 8
"""Tries of `catch_up` before it gives a transient error to its caller; `run` goes on for ever."""
LONGEST_ERROR: Final = 2_000

_log = structlog.get_logger(__name__)


class Halted(Exception):
    """The follower stops where it stands: no event is at fault, so that none is parked."""

    may_be_told = True


class GapFound(Halted):
    """The feed skips a position, or ends before the checkpoint. The follower stops and does not guess."""


class Committed(Halted):
    """A follower ended the runner's transaction: its effect and its checkpoint could part."""


class Follower(Protocol):
    """Reads the feed and has an effect in the database, in the same transaction as its checkpoint."""

    name: str

    @property
    def types(self) -> frozenset[str] | None:
        """Event types wanted; None: all."""

    def apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        """Take effect of these events, in order, on this connection. Must not commit."""


@runtime_checkable
class Rebuilds(Protocol):
    """A follower whose whole effect can be dropped, and comes back by following from the start."""

    def forget(self, connection: Connection) -> None:
        """Drop all effect of the book's events. Must not commit."""


@runtime_checkable
class Prepares(Protocol):
    """A follower that may have something to do before it follows."""

    def prepare(self, pool: Pool) -> None:
        """Make ready to follow, in transactions of its own."""


@runtime_checkable
class InStreamOrder(Protocol):
    """A follower to whom a stream's events come in order or not at all.

    Once an event is parked, those that follow it in its stream wait beside it, and are replayed after it.
    """

    in_stream_order: bool


@runtime_checkable
class InTheVault(Protocol):
    """A follower whose effect lies in the vault, which has a backup of its own.

    After a restore its checkpoint says nothing of what is there.
    """

    lies_in_the_vault: bool


class FollowerRunner:
    """Runs one follower over one book. Any process may: the checkpoint's row lock lets one run at a time."""

    def __init__(self, pool: Pool, book: str, follower: Follower, *, batch: int = BATCH_POSITIONS) -> None:
        """`batch`: positions read and applied by one transaction at most."""
        self._pool = pool
        self._book = book
        self._follower = follower
        self._batch = batch

    @property
    def follower(self) -> Follower:
        """Whom it runs."""
        return self._follower

    def position(self) -> int:
        """Return the checkpoint: position of the last event that took effect, -1 before the first."""
        with self._pool.connection() as connection:
            return checkpoint(connection, self._book, self._follower.name)

    def catch_up(self, limit: int | None = None) -> int:
        """Follow to the feed's end, or for `limit` positions; number of positions passed.

        Raises Halted, and what is transient once it was tried for some seconds.
        """
        passed, patiently = 0, retrying(tries=TRANSIENT_TRIES)
        while limit is None or passed < limit:
            wanted = self._batch if limit is None else min(self._batch, limit - passed)
            advanced = patiently(self._advance, wanted)
            if advanced == 0:
                break
            passed += advanced
        return passed

    def run(self, stop: StopEvent) -> None:
        """Follow until `stop` is set; what is transient is tried again for ever.

        Raises Halted.
        """
        patiently = retrying(stop).copy(before_sleep=self._tell_delay, retry_error_callback=lambda _: 0)
        while not stop.is_set():
            if patiently(self._advance_if_behind) == 0:
                stop.wait(IDLE_SECONDS)

    def _advance_if_behind(self) -> int:
        with self._pool.connection() as connection:
            behind = is_behind(connection, self._book, self._follower.name)
        return self._advance(self._batch) if behind else 0

    def _tell_delay(self, tried: RetryCallState) -> None:
        error = None if tried.outcome is None else tried.outcome.exception()
        _log.warning("following_delayed", follower=self._follower.name, book=self._book, error=str(error))

    def parked(self) -> Sequence[Parked]:
        """Events that the follower could not take, by position."""
        with self._pool.connection() as connection:
            return parked_events(connection, self._book, self._follower.name)

    def replay_parked(self) -> int:
        """Try the parked events again, in order; number that took effect now and are parked no more."""
        replayed = 0
        stuck: set[str] = set()
        for parked in self.parked():
            if parked.stream in stuck and self._in_stream_order:
                continue
            try:
                with self._pool.transaction() as connection:
                    lock_checkpoint(connection, self._book, self._follower.name)
                    rows = select_feed(connection, self._book, parked.position - 1, 1, None)
                    self._take(connection, feed_events(self._dense(rows, parked.position - 1, whole=True)))
                    unpark(connection, self._book, self._follower.name, parked.position)
                replayed += 1
            except Exception as error:
                if is_transient(error) or isinstance(error, Halted):
                    raise
                stuck.add(parked.stream)
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

    def pass_read(self, rows: Sequence[FeedRow], events: Sequence[FeedEvent]) -> int:
        """Pass positions that were read already, for several followers at once; how many.

        `rows` follow each other without a gap, `events` are theirs. A checkpoint before them passes none, one
        among them the rest. What fails is passed one by one, past the poison. Raises Halted, and what is
        transient.
        """
        try:
            with self._pool.transaction() as connection:
                position, last = self._lock(connection), rows[-1].position
                if not rows[0].position - 1 <= position < last:
                    return 0
                types = self._follower.types
                mine = [
                    event
                    for event in events
                    if event.position > position and (types is None or event.type in types)
                ]
                if mine:
                    self._apply(connection, mine)
                move_checkpoint(connection, self._book, self._follower.name, last)
                return last - position
        except Exception as error:
            if is_transient(error) or isinstance(error, Halted):
                raise
        return self._advance(len(rows))

    def _advance(self, wanted: int) -> int:
        """Pass up to `wanted` positions: all at once, or where that fails one by one, past the poison."""
        try:
            return self._pass(wanted)
        except Exception as error:
            if is_transient(error) or isinstance(error, Halted):
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
            if is_transient(error) or isinstance(error, Halted):
                raise
            return self._park(tried, error)

    def _pass(self, wanted: int) -> int:
        """One transaction: lock the checkpoint, read on, take effect, move the checkpoint."""
        follower = self._follower
        with self._pool.transaction() as connection:
            position = self._lock(connection)
            rows = self._read(connection, position, wanted)
            if not rows:
                return 0
            events = feed_events(row for row in rows if row.type is not None)
            if events:
                self._apply(connection, events)
            move_checkpoint(connection, self._book, follower.name, rows[-1].position)
        return len(rows)

    def _lock(self, connection: Connection) -> int:
        return lock_checkpoint(connection, self._book, self._follower.name)

    @property
    def _in_stream_order(self) -> bool:
        return isinstance(self._follower, InStreamOrder) and self._follower.in_stream_order

    def _apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        """Take effect of events, but for those of a stream that waits: they wait with it."""
        if self._in_stream_order:
            waited_for = parked_streams(connection, self._book, self._follower.name)
            for event in events if waited_for else ():
                if (position := waited_for.get(event.stream.name)) is not None:
                    park(connection, self._book, self._follower.name, _waiting(event, position))
            events = [event for event in events if event.stream.name not in waited_for]
        if events:
            self._take(connection, events)

    def _take(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
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
        """Ensure that rows follow a position without a gap; `whole`: and that each has its event."""
        for expected, row in enumerate(rows, after + 1):
            if row.position != expected:
                raise self._gap(expected)
            if whole and row.type is None:
                message = f"position {expected} of the feed has no event any more: run `coverledger verify`"
                raise GapFound(message)
        return rows

    def _gap(self, position: int) -> GapFound:
        return GapFound(
            f"position {position} of the feed of book {self._book!r} is missing: run `coverledger verify`"
        )


def _waiting(event: FeedEvent, position: int) -> Parked:
    """Park an event behind the first of its stream that could not be taken."""
    error = f"it waits for the event of its stream that was parked at position {position}"
    return Parked(event.position, event.stream.name, event.version, event.event_id, event.type, error)


def _described(error: Exception) -> str:
    """Describe an error for whoever looks at what was parked."""
    return f"{type(error).__name__}: {error}"[:LONGEST_ERROR]


class FeedRange(NamedTuple):
    """A part of the feed."""

    events: Sequence[FeedEvent]
    """Those wanted."""
    last: int
    """Last position of the part, whether it is wanted or not."""


def read_range(
    connection: Connection, book: str, after: int, limit: int, types: Sequence[str] | None
) -> FeedRange:
    """Read on after a position, at most `limit` positions; `types` wanted, None: all.

    Raises GapFound where a position or its event is missing, or the feed ends before `after`.
    """
    rows = select_feed(connection, book, after, limit, types)
    if not rows and feed_end(connection, book) < after:
        message = (
            f"position {after} was read, but the feed of book {book!r} ends before it: an older state was "
            "restored"
        )
        raise GapFound(message)
    for expected, row in enumerate(rows, after + 1):
        if row.position != expected or (types is None and row.type is None):
            message = f"position {expected} of the feed of book {book!r} is missing: run `coverledger verify`"
            raise GapFound(message)
    wanted = feed_events(row for row in rows if row.type is not None)
    return FeedRange(wanted, rows[-1].position if rows else after)
