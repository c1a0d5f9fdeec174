"""A follower takes each event once, in order, and misses nothing; what it cannot take is parked, not lost."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event as StopEvent
from threading import Thread

import psycopg2
import pytest

from fixtures.commits import CONTRACT, advice, append, claim, commit, new_event, opened
from fixtures.database import BOOK, Database, execute
from ledger.feed.followers import Committed, FollowerRunner, GapFound
from ledger.feed.reader import FeedEvent, read_feed, read_streams
from ledger.sealing.sealer import Sealer
from ledger.store.event_store import EventStore
from ledger.store.feed import checkpoint
from ledger.store.pool import Connection, Pool


class Copyist:
    """Writes down the positions that it is given, in the database, as a view does."""

    def __init__(self, name: str = "copyist", types: frozenset[str] | None = None) -> None:
        self.name = name
        self.types = types
        self.poison: set[int] = set()
        self.away = 0
        self.batches: list[int] = []

    def apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        self.batches.append(len(events))
        with connection.cursor() as cursor:
            for event in events:
                cursor.execute("insert into projections.copied values (%s, %s)", (self.name, event.position))
                if event.position in self.poison:
                    message = f"cannot take {event.event.stable_name}"
                    raise ValueError(message)
        if self.away > 0:
            self.away -= 1
            message = "the server is away"
            raise psycopg2.OperationalError(message)


@pytest.fixture
def copied(database: Database) -> None:
    execute(
        database.owner_dsn,
        f"set role {owner_of(database)}",
        "create table projections.copied (name text, position bigint primary key)",
    )


def owner_of(database: Database) -> str:
    with psycopg2.connect(database.superuser_dsn) as connection, connection.cursor() as cursor:
        cursor.execute("select ledger.role('owner')")
        [(role,)] = cursor.fetchall()
    connection.close()
    return str(role)


def positions(pool: Pool) -> list[int]:
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select position from projections.copied order by position")
        return [position for (position,) in cursor.fetchall()]


@pytest.fixture
def ten_events(event_store: EventStore, sealer_pool: Pool) -> None:
    for number in range(5):
        append(
            event_store,
            commit(
                new_event(claim(number), opened(), subject="P-1", command_id=str(number)),
                new_event(claim(number), advice(), command_id=str(number)),
            ),
        )
    assert Sealer(sealer_pool, BOOK).seal_all() == 5


@pytest.mark.usefixtures("copied", "ten_events")
class TestFollowing:
    def test_each_event_takes_effect_once_in_batches(self, pool: Pool) -> None:
        copyist = Copyist()
        runner = FollowerRunner(pool, BOOK, copyist, batch=4)
        assert runner.position() == -1
        assert runner.catch_up() == 10
        assert runner.catch_up() == 0
        assert positions(pool) == list(range(10))
        assert copyist.batches == [4, 4, 2]
        assert runner.position() == 9

    def test_a_limit_stops_it_on_the_way(self, pool: Pool) -> None:
        runner = FollowerRunner(pool, BOOK, Copyist(), batch=4)
        assert runner.catch_up(limit=6) == 6
        assert positions(pool) == list(range(6))

    def test_the_checkpoint_moves_past_what_is_filtered_out(self, pool: Pool) -> None:
        copyist = Copyist(types=frozenset({"claim.AdviceGiven"}))
        runner = FollowerRunner(pool, BOOK, copyist, batch=3)
        assert runner.catch_up() == 10
        assert positions(pool) == [1, 3, 5, 7, 9]
        nothing = FollowerRunner(pool, BOOK, Copyist("other", frozenset({"claim.ClaimClosed"})))
        assert nothing.catch_up() == 10
        assert nothing.position() == 9

    def test_many_that_run_the_same_follower_do_each_event_once(self, pool: Pool) -> None:
        runners = [FollowerRunner(pool, BOOK, Copyist(), batch=1) for _ in range(4)]
        with ThreadPoolExecutor(4) as threads:
            assert sum(threads.map(lambda runner: runner.catch_up(), runners)) == 10
        assert positions(pool) == list(range(10))

    def test_poison_is_parked_with_its_error_and_the_rest_takes_effect(self, pool: Pool) -> None:
        copyist = Copyist()
        copyist.poison = {3, 4}
        runner = FollowerRunner(pool, BOOK, copyist)
        assert runner.catch_up() == 10
        assert positions(pool) == [0, 1, 2, 5, 6, 7, 8, 9]
        first, second = runner.parked()
        assert (first.position, first.stream, first.version, first.type) == (
            3,
            "claim/CL-1",
            2,
            "claim.AdviceGiven",
        )
        assert first.error == "ValueError: cannot take claim.AdviceGiven"
        assert second.type == "claim.ClaimOpened"

    def test_parked_events_are_replayed_once_they_can_be_taken(self, pool: Pool) -> None:
        copyist = Copyist()
        copyist.poison = {3, 4}
        runner = FollowerRunner(pool, BOOK, copyist)
        runner.catch_up()
        copyist.poison = {4}
        assert runner.replay_parked() == 1
        assert [(parked.position, parked.attempts) for parked in runner.parked()] == [(4, 2)]
        copyist.poison = set()
        assert runner.replay_parked() == 1
        assert runner.parked() == []
        assert positions(pool) == list(range(10))

    def test_what_is_transient_is_tried_again_and_takes_effect_once(self, pool: Pool) -> None:
        copyist = Copyist()
        copyist.away = 2
        assert FollowerRunner(pool, BOOK, copyist).catch_up() == 10
        assert positions(pool) == list(range(10))
        assert copyist.batches == [10, 10, 10]

    def test_a_gap_in_the_feed_stops_the_follower(self, pool: Pool, database: Database) -> None:
        tamper(database, "delete from ledger.log where position = 6")
        runner = FollowerRunner(pool, BOOK, Copyist(), batch=4)
        with pytest.raises(GapFound, match="position 6 "):
            runner.catch_up()
        assert positions(pool) == [0, 1, 2, 3]
        with pytest.raises(GapFound, match="position 6 "):
            runner.run(StopEvent())

    def test_a_gap_longer_than_a_batch_stops_it_too(self, pool: Pool, database: Database) -> None:
        tamper(database, "delete from ledger.log where position between 2 and 8")
        with pytest.raises(GapFound, match="position 2 "):
            FollowerRunner(pool, BOOK, Copyist(), batch=2).catch_up()

    def test_a_position_without_its_event_stops_it(self, pool: Pool, database: Database) -> None:
        tamper(database, "delete from ledger.events where stream = 'claim/CL-2'")
        with pytest.raises(GapFound, match=r"position 4 .* has no event"):
            FollowerRunner(pool, BOOK, Copyist()).catch_up()

    def test_a_feed_that_ends_before_the_checkpoint_stops_it(self, pool: Pool, database: Database) -> None:
        runner = FollowerRunner(pool, BOOK, Copyist())
        runner.catch_up()
        tamper(database, "delete from ledger.log where position > 7")
        with pytest.raises(GapFound, match="older state was restored"):
            runner.catch_up()

    def test_a_follower_that_commits_is_caught(self, pool: Pool) -> None:
        copyist = Copyist()
        take = copyist.apply

        def apply_and_commit(connection: Connection, events: Sequence[FeedEvent]) -> None:
            take(connection, events)
            connection.commit()

        copyist.apply = apply_and_commit  # type: ignore[method-assign] # a follower that breaks its promise
        runner = FollowerRunner(pool, BOOK, copyist, batch=1)
        with pytest.raises(Committed):
            runner.catch_up()
        assert runner.parked() == []

    def test_it_follows_until_it_is_told_to_stop(
        self, pool: Pool, event_store: EventStore, sealer_pool: Pool
    ) -> None:
        runner, stop = FollowerRunner(pool, BOOK, Copyist()), StopEvent()
        thread = Thread(target=runner.run, args=(stop,))
        thread.start()
        append(event_store, commit(new_event(CONTRACT, advice(), command_id="late")))
        Sealer(sealer_pool, BOOK).seal_all()
        for _ in range(500):
            if runner.position() == 10:
                break
            stop.wait(0.02)
        stop.set()
        thread.join(timeout=10)
        assert not thread.is_alive()
        assert positions(pool) == list(range(11))


@pytest.mark.usefixtures("ten_events")
def test_the_feed_gives_envelope_and_event_as_recorded(pool: Pool) -> None:
    with pool.connection() as connection:
        first, second = read_feed(connection, BOOK, -1, 2)
        assert [event.position for event in read_feed(connection, BOOK, 7, 100)] == [8, 9]
        some = read_feed(connection, BOOK, 0, 4, types=["claim.ClaimOpened"])
        assert [event.position for event in some] == [2, 4]
        assert checkpoint(connection, BOOK, "nobody") == -1
    assert (first.type, first.version, second.version, second.ordinal) == ("claim.ClaimOpened", 1, 2, 1)
    assert second.recorded.event == advice()
    assert first.recorded.event.victim.name.person == "P-1"  # type: ignore[attr-defined] # it is a ClaimOpened
    assert first.correlation_id == second.correlation_id


@pytest.mark.usefixtures("ten_events")
def test_streams_are_read_up_to_a_position(pool: Pool) -> None:
    with pool.connection() as connection:
        found = read_streams(connection, BOOK, [claim(1), claim(3)], 6)
    assert [(event.position, event.stream) for event in found] == [
        (2, claim(1)),
        (3, claim(1)),
        (6, claim(3)),
    ]


def tamper(database: Database, statement: str) -> None:
    """Change what nobody may change, as a superuser can."""
    execute(
        database.superuser_dsn,
        "alter table ledger.log disable trigger all",
        "alter table ledger.events disable trigger all",
        statement,
    )
