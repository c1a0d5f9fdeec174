"""Every commit gets its positions once: dense, whole, and never before what precedes it in a stream."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event as StopEvent
from threading import Thread

import psycopg2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg2.errors import InsufficientPrivilege

from fixtures import commits
from fixtures.commits import NOW, advice, claim, commit, new_event
from fixtures.database import BOOK
from ledger.feed.reader import read_feed
from ledger.sealing.sealer import Sealer
from ledger.store.books import Books
from ledger.store.errors import BookUnknown
from ledger.store.event_store import EventStore
from ledger.store.events import StreamHead
from ledger.store.pool import Connection, Pool
from ledger.store.sealing import Ordering, StreamVersion, UnsealedCommit, UnsealedEvent, seal_batch

UNSEEN = b"\x02" * 32


def names(pool: Pool, book: str = BOOK) -> list[tuple[int, str, int]]:
    with pool.connection() as connection:
        return [
            (event.position, event.stream.number, event.version)
            for event in read_feed(connection, book, -1, 10_000)
        ]


def append(store: EventStore, number: object, version: int = 1, *, command_id: str | None = None) -> None:
    """Append one event blindly: nobody looks whether the version before it is there."""
    heads = {claim(number): StreamHead(version - 1, UNSEEN)} if version > 1 else {}
    event = new_event(claim(number), advice(), command_id=command_id or f"{number}.{version}")
    commits.append(store, commit(event, heads=heads))


def test_positions_are_dense_from_0_and_commits_stay_together(
    event_store: EventStore, sealer_pool: Pool, pool: Pool
) -> None:
    commits.append(event_store, commit(*(new_event(claim(n), advice(), command_id="a") for n in (1, 2, 3))))
    commits.append(event_store, commit(*(new_event(claim(n), advice(), command_id="b") for n in (4, 5))))
    assert Sealer(sealer_pool, BOOK).seal_all() == 2
    assert names(pool) == [(n - 1, f"CL-{n}", 1) for n in range(1, 6)]
    assert Sealer(sealer_pool, BOOK).seal_once() == 0


def test_a_version_waits_for_the_one_before_it_and_others_pass(
    event_store: EventStore, sealer_pool: Pool, pool: Pool
) -> None:
    sealer = Sealer(sealer_pool, BOOK)
    append(event_store, "late", 2)
    append(event_store, "other")
    assert sealer.seal_all() == 1
    assert names(pool) == [(0, "CL-other", 1)]
    append(event_store, "late", 1)
    assert sealer.seal_all() == 2
    assert names(pool)[1:] == [(1, "CL-late", 1), (2, "CL-late", 2)]


def test_a_batch_in_which_all_wait_does_not_stop_the_rest(
    event_store: EventStore, sealer_pool: Pool, pool: Pool
) -> None:
    for number in range(7):
        append(event_store, number, 2)
    append(event_store, "free")
    for number in range(6):
        append(event_store, number, 1)
    sealer = Sealer(sealer_pool, BOOK, batch=2)
    assert sealer.seal_all() == 14 - 1
    found = names(pool)
    assert [position for position, _, _ in found] == list(range(13))
    for number in range(6):
        assert [version for _, stream, version in found if stream == f"CL-{number}"] == [1, 2]


def test_versions_keep_their_order_over_many_batches_of_a_backlog(
    event_store: EventStore, sealer_pool: Pool, pool: Pool
) -> None:
    for version in (3, 1, 5, 2, 4):
        append(event_store, "one", version)
    sealer = Sealer(sealer_pool, BOOK, batch=1)
    assert sealer.seal_all() == 5
    assert [version for _, _, version in names(pool)] == [1, 2, 3, 4, 5]


def test_sealed_at_never_decreases_though_the_clock_goes_back(
    event_store: EventStore, sealer_pool: Pool, pool: Pool
) -> None:
    for number, hours in enumerate((2, 1, 3)):
        append(event_store, number)
        instant = NOW + timedelta(hours=hours)
        Sealer(sealer_pool, BOOK, now=partial(datetime.fromtimestamp, instant.timestamp(), UTC)).seal_once()
    with pool.connection() as connection:
        sealed = [event.sealed_at for event in read_feed(connection, BOOK, -1, 10)]
    assert sealed == [NOW + timedelta(hours=hours) for hours in (2, 2, 3)]


def test_the_merkle_log_grows_in_the_same_transaction_or_nothing_is_sealed(
    event_store: EventStore, sealer_pool: Pool, pool: Pool
) -> None:
    told: list[tuple[str, int, int]] = []

    def grow(_: Connection, book: str, first_position: int, leaf_hashes: Sequence[bytes]) -> None:
        if len(told) == 1:
            message = "the head does not extend the last one"
            told.append((book, first_position, len(leaf_hashes)))
            raise RuntimeError(message)
        told.append((book, first_position, len(leaf_hashes)))

    sealer = Sealer(sealer_pool, BOOK, grow=grow)
    append(event_store, 1)
    append(event_store, 2)
    assert sealer.seal_once() == 2
    append(event_store, 3)
    with pytest.raises(RuntimeError, match="does not extend"):
        sealer.seal_once()
    assert len(names(pool)) == 2
    assert sealer.seal_once() == 1
    assert told == [(BOOK, 0, 2), (BOOK, 2, 1), (BOOK, 2, 1)]


def test_sealers_that_run_side_by_side_serialise(
    event_store: EventStore, sealer_pool: Pool, pool: Pool
) -> None:
    for number in range(60):
        append(event_store, number)
    with ThreadPoolExecutor(4) as threads:
        sealed = list(threads.map(lambda _: Sealer(sealer_pool, BOOK, batch=7).seal_all(), range(4)))
    assert sum(sealed) == 60
    assert [position for position, _, _ in names(pool)] == list(range(60))


def test_books_are_sealed_apart(event_store: EventStore, books: Books, sealer_pool: Pool, pool: Pool) -> None:
    books.create("other\tbook\\", origin="ledger.test/other")
    for book in (BOOK, "other\tbook\\"):
        commits.append(event_store, commit(new_event(claim(1), advice()), book=book))
        assert Sealer(sealer_pool, book).seal_all() == 1
        assert names(pool, book) == [(0, "CL-1", 1)]
    with pytest.raises(BookUnknown), sealer_pool.transaction() as connection:
        seal_batch(connection, "none", 1)


def test_a_running_sealer_seals_what_comes_and_stops_when_told(
    event_store: EventStore, sealer_pool: Pool, pool: Pool
) -> None:
    sealer, stop = Sealer(sealer_pool, BOOK), StopEvent()
    thread = Thread(target=sealer.run, args=(stop,))
    thread.start()
    try:
        append(event_store, 1)
        sealer.wake()
        wait_for(lambda: len(names(pool)) == 1)
    finally:
        stop.set()
        sealer.wake()
        thread.join(timeout=10)
    assert not thread.is_alive()


def test_who_listens_is_told_of_each_batch_until_it_ends_that(
    event_store: EventStore, sealer_pool: Pool
) -> None:
    sealer, told = Sealer(sealer_pool, BOOK, batch=2), []
    end = sealer.listen(lambda batch: told.append((batch.first_position, batch.end)))
    for number in range(4):
        append(event_store, number)
    sealer.seal_all()
    assert told == [(0, 1), (2, 3)]
    sealer.seal_all()
    assert told == [(0, 1), (2, 3)]  # nothing was sealed
    end()
    append(event_store, "more")
    assert sealer.seal_all() == 1
    assert told == [(0, 1), (2, 3)]


def test_the_applications_role_cannot_write_the_log(event_store: EventStore, pool: Pool) -> None:
    append(event_store, 1)
    with pytest.raises(InsufficientPrivilege):
        Sealer(pool, BOOK).seal_once()


def test_the_sealers_role_cannot_record(sealer_pool: Pool, event_store: EventStore) -> None:
    append(event_store, 1)
    with sealer_pool.connection() as connection, connection.cursor() as cursor:
        for table in ("events", "commands", "books"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(f"insert into ledger.{table} select * from ledger.{table}")


def wait_for(holds: Callable[[], bool], seconds: float = 10) -> None:
    pause = StopEvent()
    for _ in range(int(seconds / 0.02)):
        if holds():
            return
        pause.wait(0.02)
    pytest.fail(f"did not come about in {seconds} seconds")


@st.composite
def pending_commits(draw: st.DrawFn) -> list[UnsealedCommit]:
    """Commits as writers make them, over a few streams, with their tickets in any order."""
    versions: dict[int, int] = {}
    commits: list[list[UnsealedEvent]] = []
    for _ in range(draw(st.integers(1, 15))):
        events = []
        for stream in draw(st.lists(st.integers(0, 3), min_size=1, max_size=4)):
            versions[stream] = versions.get(stream, 0) + 1
            events.append(UnsealedEvent(StreamVersion(bytes([stream]) * 16, versions[stream]), bytes(32)))
        commits.append(events)
    tickets = draw(st.permutations(range(len(commits))))
    return sorted(
        (UnsealedCommit(ticket, events) for ticket, events in zip(tickets, commits, strict=True)),
        key=lambda commit: commit.ticket,
    )


@given(pending_commits(), st.integers(1, 5))
def test_whatever_the_tickets_say_the_order_follows_the_streams(
    commits: list[UnsealedCommit], page: int
) -> None:
    ordering = Ordering()
    for start in range(0, len(commits), page):
        ordering.take(commits[start : start + page], [])
    assert sorted(commit.ticket for commit in ordering.ordered) == [commit.ticket for commit in commits]
    reached: dict[bytes, int] = {}
    for pending in ordering.ordered:
        for stream_id, version in (event.place for event in pending.events):
            assert version == reached.get(stream_id, 0) + 1
            reached[stream_id] = version


@given(pending_commits(), st.data())
def test_what_misses_a_predecessor_waits_and_all_after_it(
    commits: list[UnsealedCommit], data: st.DataObject
) -> None:
    lost = data.draw(st.sampled_from(commits))
    ordering = Ordering()
    ordering.take([commit for commit in commits if commit is not lost], [])
    missing = {event.place for event in lost.events}
    for pending in ordering.ordered:
        assert not pending.predecessors() & missing
        for stream_id, version in (event.place for event in pending.events):
            assert all(version < place.version for place in missing if place.stream_id == stream_id)
