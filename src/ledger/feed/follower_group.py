"""Several followers over one reading of the feed: each batch is read and decoded once, for all of them.

Each follower takes effect in a transaction of its own, with its own checkpoint: what one cannot take, another
takes all the same, and one that halts leaves the others going.
"""

import gc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event as StopEvent
from time import monotonic
from typing import Final

import structlog

from ledger.feed.followers import IDLE_SECONDS, TRANSIENT_TRIES, FollowerRunner, Halted
from ledger.feed.reader import FeedEvent, feed_events
from ledger.store.feed import FeedRow, checkpoints, feed_end, pass_over, select_feed
from ledger.store.pool import Pool
from ledger.store.retry import retrying
from ledger.supervision import halts, moved

_log = structlog.get_logger(__name__)

NEVER_BEGUN: Final = -1
BATCH_TOGETHER: Final = 2_000
"""Positions read at once, and passed by one transaction of each follower."""

REST_SECONDS: Final = 0.25
"""At most, after a batch that was not full: many events passed together cost hardly more than one."""
REST_FOR_WORK: Final = 2.0
"""The rest is so many times what the batch took: a lone event is followed at once, and the next one soon."""

HALTED_SECONDS: Final = 15.0
"""Between two tries of one that halted while others go on."""

AT_A_TIME: Final = 2
"""Followers that pass a batch at once, each on a connection of its own."""

OBJECTS_BETWEEN_COLLECTIONS: Final = 50_000
"""A batch makes many objects that live as long as it does: looking through all of them for cycles after each
700 more, as Python does, took a fifth of the time."""

Passed = Callable[[int], None]
Batch = tuple[Sequence[FeedRow], Sequence[FeedEvent]]
BatchKey = tuple[int, frozenset[str] | None]
"""After which position, and of which types (None: all)."""


class FollowerGroup:
    """Runs followers of one book side by side, the one that is furthest behind first."""

    def __init__(
        self, pool: Pool, book: str, runners: Sequence[FollowerRunner], *, batch: int = BATCH_TOGETHER
    ) -> None:
        """`batch`: positions read at once. From now on the whole process looks for cycles less often."""
        self._pool = pool
        self._book = book
        self._batch = batch
        self._runners = {runner.follower.name: runner for runner in runners}
        self._going = dict(self._runners)
        self._ahead: tuple[BatchKey, Batch | None] | None = None
        self.halted: dict[str, Halted] = {}
        """Who halts, and for what."""
        gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])

    def catch_up(self, passed: Passed = lambda _: None) -> None:
        """Bring all to the feed's end; `passed` is told of each batch how many positions it has.

        Raises Halted once the others are there, and what is transient once it was tried for some seconds.
        """
        patiently = retrying(tries=TRANSIENT_TRIES)
        while (advanced := patiently(self._advance)) > 0:
            passed(advanced)
        if self.halted:
            raise next(iter(self.halted.values()))

    def run(self, stop: StopEvent) -> None:
        """Follow until `stop` is set. Who halts is told, and tried again while the others go on.

        Raises Halted once nobody is going any more, and whatever else keeps all of them from going on.
        """
        tried_at, told = monotonic(), set[str]()
        while not stop.is_set():
            begun = monotonic()
            if self.halted and begun >= tried_at + HALTED_SECONDS:
                tried_at = begun
                self._try_the_halted()
            advanced = self._advance()
            told = self._tell(told)
            if self.halted and not self._going:
                raise next(iter(self.halted.values()))
            if advanced == 0:
                stop.wait(IDLE_SECONDS)
            elif advanced < self._batch:
                stop.wait(min(REST_SECONDS, REST_FOR_WORK * (monotonic() - begun)))

    def _try_the_halted(self) -> None:
        """Try again those that halted: the cause may be gone."""
        self._going.update((name, self._runners[name]) for name in self.halted)
        self.halted.clear()

    def _tell(self, told: set[str]) -> set[str]:
        """Log who halts, and who that halted goes on; return who halts."""
        for name in self.halted.keys() - told:
            _log.error("follower_halted", follower=name, book=self._book, error=str(self.halted[name]))
        for name, error in self.halted.items():
            halts(name, error)
        for name in told - self.halted.keys():
            _log.warning("follower_goes_on", follower=name, book=self._book)
            halts(name, None)
        return set(self.halted)

    def _advance(self) -> int:
        """Read one batch for whoever is furthest back and let all pass it whom it concerns; its positions."""
        with self._pool.connection() as connection:
            standing, end = checkpoints(connection, self._book), feed_end(connection, self._book)
            behind = {
                name: position for name in self._going if (position := standing.get(name, NEVER_BEGUN)) != end
            }
        moved()
        if not behind:
            return 0
        after = min(behind.values())
        found = self._read(after)
        if found is None:
            # Whoever stands there finds out by itself what is missing, and says it.
            return sum(self._alone(name) for name, position in behind.items() if position == after)
        rows, events = found
        last = rows[-1].position
        reached = [name for name, position in behind.items() if position < last]
        idle = [name for name in reached if name in standing and not self._concerns(name, events)]
        if idle:
            with self._pool.connection() as connection:
                pass_over(connection, self._book, idle, after, last)
        concerned = [name for name in reached if name not in idle]
        with ThreadPoolExecutor(1, thread_name_prefix="reading-ahead") as reading:
            # What is sealed changes no more.
            wanted = (last, self._types())
            ahead = reading.submit(self._select, *wanted) if last < end else None
            self._let_all_pass(concerned, lambda runner: runner.pass_read(rows, events))
        if ahead is not None:
            self._ahead = (wanted, ahead.result())
        return len(rows)

    def _read(self, after: int) -> Batch | None:
        """Return the batch after a position, which may have been read ahead; None where it is not whole."""
        wanted = (after, self._types())
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == wanted and ahead[1] is not None:
            return ahead[1]
        return self._select(*wanted)

    def _select(self, after: int, types: frozenset[str] | None) -> Batch | None:
        with self._pool.connection() as connection:
            rows = select_feed(connection, self._book, after, self._batch, types)
        if not _dense(rows, after, whole=types is None):
            return None
        return rows, feed_events(row for row in rows if row.type is not None)

    def _concerns(self, name: str, events: Sequence[FeedEvent]) -> bool:
        types = self._going[name].follower.types
        return bool(events) and (types is None or any(event.type in types for event in events))

    def _alone(self, name: str) -> int:
        return self._let_pass(name, lambda runner: runner.catch_up(self._batch))

    def _let_all_pass(self, names: Sequence[str], go: Callable[[FollowerRunner], int]) -> None:
        """Advance the followers, some at a time: while one waits for the database, another folds."""
        if len(names) <= 1:
            for name in names:
                self._let_pass(name, go)
            return
        with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="followers") as threads:
            for passing in [threads.submit(self._let_pass, name, go) for name in names]:
                passing.result()

    def _let_pass(self, name: str, go: Callable[[FollowerRunner], int]) -> int:
        """Advance one follower; if it halts, the others go on without it."""
        try:
            return go(self._going[name])
        except Halted as error:
            self.halted[name] = error
            del self._going[name]
            return 0

    def _types(self) -> frozenset[str] | None:
        """Return the types that any of them wants; None: all."""
        wanted: set[str] = set()
        for runner in self._going.values():
            if runner.follower.types is None:
                return None
            wanted |= runner.follower.types
        return frozenset(wanted)


def _dense(rows: Sequence[FeedRow], after: int, *, whole: bool) -> bool:
    """Return whether there are rows, which follow a position without a gap; `whole`: each with its event."""
    return bool(rows) and all(
        row.position == expected and not (whole and row.type is None)
        for expected, row in enumerate(rows, after + 1)
    )
