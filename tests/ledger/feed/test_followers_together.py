"""Several followers over one reading of the feed: each takes all that is its own, whatever befalls others."""

from threading import Event as StopEvent
from threading import Thread
from time import monotonic, sleep

import pytest
from test_followers import Copyist, copied, owner_of, ten_events

from fixtures.database import BOOK, Database, execute
from ledger.feed import follower_group
from ledger.feed.follower_group import FollowerGroup
from ledger.feed.followers import Committed, FollowerRunner
from ledger.feed.reader import FeedEvent
from ledger.store.pool import Connection, Pool

__all__ = ["copied", "ten_events"]


@pytest.fixture
def many_copies(copied: None, database: Database) -> None:  # noqa: ARG001  # made before this
    execute(
        database.owner_dsn,
        f"set role {owner_of(database)}",
        "alter table projections.copied drop constraint copied_pkey, add primary key (name, position)",
    )


def positions(pool: Pool, name: str) -> list[int]:
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select position from projections.copied where name = %s order by position", (name,))
        return [position for (position,) in cursor.fetchall()]


def running(pool: Pool, *followers: Copyist, batch: int = 3) -> FollowerGroup:
    return FollowerGroup(
        pool, BOOK, [FollowerRunner(pool, BOOK, one, batch=batch) for one in followers], batch=batch
    )


@pytest.mark.usefixtures("many_copies", "ten_events")
class TestTogether:
    def test_each_takes_every_event_of_its_types_once_wherever_it_stood(self, pool: Pool) -> None:
        ahead, behind = Copyist("ahead"), Copyist("behind", frozenset({"claim.AdviceGiven"}))
        FollowerRunner(pool, BOOK, ahead).catch_up(limit=5)
        passed: list[int] = []
        running(pool, ahead, behind).catch_up(passed.append)
        assert positions(pool, "ahead") == list(range(10))
        assert positions(pool, "behind") == [1, 3, 5, 7, 9]
        assert sum(passed) == 10
        running(pool, ahead, behind).catch_up(passed.append)
        assert sum(passed) == 10

    def test_a_batch_is_read_once_for_all(self, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
        reads: list[int] = []
        select = follower_group.select_feed

        def counted(connection: Connection, book: str, after: int, limit: int, types: object) -> object:
            reads.append(after)
            return select(connection, book, after, limit, types)  # type: ignore[arg-type]  # passed on

        monkeypatch.setattr(follower_group, "select_feed", counted)
        running(pool, *(Copyist(f"copy {n}") for n in range(5)), batch=5).catch_up()
        assert reads == [-1, 4]

    def test_what_one_cannot_take_is_parked_for_it_alone(self, pool: Pool) -> None:
        sound, poisoned = Copyist("sound"), Copyist("poisoned")
        poisoned.poison = {4}
        running(pool, sound, poisoned).catch_up()
        assert positions(pool, "sound") == list(range(10))
        assert positions(pool, "poisoned") == [0, 1, 2, 3, 5, 6, 7, 8, 9]
        assert [one.position for one in FollowerRunner(pool, BOOK, poisoned).parked()] == [4]

    def test_one_that_halts_leaves_the_others_going_and_is_told_at_the_end(self, pool: Pool) -> None:
        class Committing(Copyist):
            def apply(self, connection: Connection, events: "list[FeedEvent]") -> None:  # type: ignore[override]
                super().apply(connection, events)
                connection.commit()

        follower_group = running(pool, Copyist("sound"), Committing("committing"))
        with pytest.raises(Committed, match="committing"):
            follower_group.catch_up()
        assert positions(pool, "sound") == list(range(10))
        assert list(follower_group.halted) == ["committing"]

    def test_they_follow_what_comes_until_they_are_told_to_stop(self, pool: Pool) -> None:
        stop = StopEvent()
        following = Thread(
            target=running(pool, Copyist("one"), Copyist("other")).run, args=(stop,), daemon=True
        )
        following.start()
        until = monotonic() + 10
        while len(positions(pool, "other")) < 10 and monotonic() < until:
            sleep(0.02)
        stop.set()
        following.join(10)
        assert positions(pool, "one") == positions(pool, "other") == list(range(10))
        assert not following.is_alive()

    def test_events_behind_a_parked_one_of_their_stream_wait_and_are_replayed_in_order(
        self, pool: Pool
    ) -> None:
        ordered = Copyist("ordered")
        ordered.in_stream_order = True  # type: ignore[attr-defined]  # what a view says of itself
        ordered.poison = {4}
        running(pool, ordered, batch=5).catch_up()
        runner = FollowerRunner(pool, BOOK, ordered)
        first, waiting = runner.parked()
        assert (first.position, waiting.position, first.stream) == (4, 5, waiting.stream)
        assert "parked at position 4" in waiting.error
        assert positions(pool, "ordered") == [0, 1, 2, 3, 6, 7, 8, 9]
        assert runner.replay_parked() == 0
        assert [(one.position, one.attempts) for one in runner.parked()] == [(4, 2), (5, 1)]
        ordered.poison = set()
        assert runner.replay_parked() == 2
        assert positions(pool, "ordered") == list(range(10))
        assert runner.parked() == []
