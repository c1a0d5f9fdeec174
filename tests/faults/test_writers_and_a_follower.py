"""Many writers, some slow, some failing, a sealer that comes late, a follower at the tail: nothing is lost.

The sealer stands still until the backlog is ten batches; then it seals while the writers go on.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from threading import Event as StopEvent
from threading import Lock, Thread

from fixtures.commits import NOW, advice, answered, append, claim, new_event
from fixtures.database import BOOK
from ledger.domain.identifiers import StreamRef
from ledger.feed.followers import FollowerRunner
from ledger.feed.reader import FeedEvent, read_feed
from ledger.sealing.sealer import Sealer
from ledger.store.errors import VersionConflict
from ledger.store.event_store import EventStore
from ledger.store.events import Appended, Commit
from ledger.store.pool import Connection, Pool

WRITERS = 16
STREAMS = 40
BATCH = 10
BACKLOG = 10 * BATCH
ABORTED, SLOW = 0.15, 0.2
SLOWEST_SECONDS = 0.08
SHORT, FULL = (1, 20), (10, 60)
"""Runs, and commits a writer."""


@dataclass
class Tail:
    """A follower that keeps in memory what it was given; the runner keeps its checkpoint."""

    name: str = "tail"
    types: frozenset[str] | None = None
    seen: list[FeedEvent] = field(default_factory=list)

    def apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        assert not connection.autocommit
        self.seen += events


@dataclass
class Committed:
    """What writers know that they committed: command id → its events' places in their streams."""

    places: dict[str, list[tuple[StreamRef, int]]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)


class Writer:
    """Records commits on some of the shared streams, as load, decide and append do, with faults thrown in."""

    def __init__(self, run: int, number: int, store: EventStore, pool: Pool, committed: Committed) -> None:
        self.random = random.Random(run * WRITERS + number)  # noqa: S311 # faults, not secrets
        self.name, self.store, self.pool, self.committed = f"{run}-{number}", store, pool, committed
        self.streams = [claim(f"{run}-{stream}") for stream in range(STREAMS)]
        self.failed: list[BaseException] = []

    def run(self, commits: int) -> None:
        try:
            for number in range(commits):
                while not self.attempt(f"{self.name}-{number}"):
                    pass
        except BaseException as error:
            self.failed.append(error)
            raise

    def attempt(self, command_id: str) -> bool:
        streams = self.random.sample(self.streams, self.random.randint(1, 4))
        loaded = self.store.load_many(BOOK, streams)
        heads = {stream: loaded.streams[stream].head for stream in streams}
        touched = [stream for stream in streams for _ in range(self.random.randint(1, 2))]
        self.random.shuffle(touched)
        events = [new_event(stream, advice(), command_id=command_id) for stream in touched]
        commit = Commit(BOOK, events, heads, [answered(command_id)], NOW)
        fate = self.random.random()
        try:
            if fate < ABORTED:
                self.abort(commit)
                return False
            appended = self.slowly(commit) if fate < ABORTED + SLOW else append(self.store, commit)
        except VersionConflict:
            return False
        with self.committed.lock:
            self.committed.places[command_id] = [(event.stream, event.version) for event in appended.events]
        return True

    def slowly(self, commit: Commit) -> Appended:
        with self.pool.transaction() as connection:
            appended = append(self.store, commit, connection)
            StopEvent().wait(self.random.uniform(0, SLOWEST_SECONDS))
        return appended

    def abort(self, commit: Commit) -> None:
        with self.pool.connection() as connection:
            connection.autocommit = False
            try:
                append(self.store, commit, connection)
                StopEvent().wait(self.random.uniform(0, SLOWEST_SECONDS))
            finally:
                connection.rollback()
                connection.autocommit = True


def backlog(pool: Pool) -> int:
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from ledger.pending where book = %s", (BOOK,))
        [(count,)] = cursor.fetchall()
    return int(count)


def test_nothing_is_missed_torn_or_out_of_order(
    event_store: EventStore, pool: Pool, sealer_pool: Pool, *, full: bool
) -> None:
    runs, commits = FULL if full else SHORT
    committed, tail, sealer = Committed(), Tail(), Sealer(sealer_pool, BOOK, batch=BATCH)
    for run in range(runs):
        writers = [Writer(run, number, event_store, pool, committed) for number in range(WRITERS)]
        threads = [Thread(target=writer.run, args=(commits,)) for writer in writers]
        stop = StopEvent()
        following = Thread(target=FollowerRunner(pool, BOOK, tail, batch=37).run, args=(stop,))
        sealing = Thread(target=sealer.run, args=(stop,))
        for thread in (following, *threads):
            thread.start()
        while backlog(pool) < BACKLOG and any(thread.is_alive() for thread in threads):
            stop.wait(0.01)
        assert backlog(pool) >= BACKLOG, "the writers ended before the backlog was ten batches"
        sealing.start()
        for thread in threads:
            thread.join(timeout=120)
        assert not any(writer.failed for writer in writers)
        stop.set()
        sealer.wake()
        for thread in (sealing, following):
            thread.join(timeout=30)
            assert not thread.is_alive()
        sealer.seal_all()
        FollowerRunner(pool, BOOK, tail, batch=37).catch_up()
        assert backlog(pool) == 0
        judge(tail.seen, committed)
        with pool.connection() as connection:
            assert read_feed(connection, BOOK, -1, 10**6) == tail.seen


def judge(seen: Sequence[FeedEvent], committed: Committed) -> None:
    assert [event.position for event in seen] == list(range(len(seen))), "positions are not dense"
    assert len(seen) == sum(map(len, committed.places.values())), "events were missed or invented"
    versions: defaultdict[StreamRef, int] = defaultdict(int)
    for event in seen:
        versions[event.stream] += 1
        assert event.version == versions[event.stream], "a stream's versions are out of order"
    together = [
        (command, list(events)) for command, events in groupby(seen, key=lambda event: event.command_id)
    ]
    assert len(together) == len(committed.places), "a commit was torn"
    for command, events in together:
        assert [(event.stream, event.version) for event in events] == committed.places[command]
        assert [event.ordinal for event in events] == list(range(len(events)))
    assert all(earlier.sealed_at <= later.sealed_at for earlier, later in pairwise(seen))
