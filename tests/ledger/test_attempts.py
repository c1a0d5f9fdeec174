"""One item that cannot be handled never stops the others: counted, put off, parked, shown, replayed."""

import errno
from collections.abc import Iterator
from datetime import timedelta

import psycopg2
import pytest

from fixtures.database import BOOK, Database, execute
from ledger.attempts import SCHEDULE, Attempts, FailingItem, ItemFailed, Tally, failing, replay
from ledger.store.errors import DatabaseUnavailable, ImportOpen
from ledger.store.pool import Pool

NO_PAUSE = (timedelta(0), timedelta(0))


@pytest.fixture
def pool(database: Database) -> Iterator[Pool]:
    with Pool(database.app_dsn) as pool:
        yield pool


def found(pool: Pool) -> list[FailingItem]:
    with pool.connection() as connection:
        return failing(connection, BOOK)


def name(item: str) -> str:
    return item


class Worker:
    """Handles items but those for which it is told an error."""

    def __init__(self, **errors: Exception) -> None:
        self.errors = errors
        self.handled: list[str] = []

    def __call__(self, item: str) -> None:
        if item in self.errors:
            raise self.errors[item]
        self.handled.append(item)


@pytest.mark.parametrize(
    "error",
    [
        ItemFailed("its address does not fit"),
        ValueError("王小明"),
        RecursionError(),
        psycopg2.errors.QueryCanceled("canceling statement due to statement timeout"),
        UnicodeEncodeError("ascii", "Þórr", 0, 1, "ordinal not in range"),
        OSError(errno.ENAMETOOLONG, "File name too long"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_one_item_that_fails_in_whatever_way_stops_no_other(pool: Pool, error: Exception) -> None:
    worker = Worker(b=error)
    tally = Attempts(pool, BOOK, "letters").each(["a", "b", "c"], worker, key=name)
    assert (worker.handled, tally) == (["a", "c"], Tally(done=2, failed=1, waiting=0))
    [failed] = found(pool)
    assert (failed.worker, failed.item, failed.tries, failed.is_parked) == ("letters", "b", 1, False)


def test_what_nobody_foresaw_is_stored_without_its_text_which_may_be_personal(
    pool: Pool, capfd: pytest.CaptureFixture[str]
) -> None:
    Attempts(pool, BOOK, "letters").each(["a"], Worker(a=ValueError("王小明")), key=name)
    [failed] = found(pool)
    assert failed.error.startswith("ValueError in test_attempts.py, line ")
    logged = capfd.readouterr().err
    assert "item_failed" in logged
    assert "王小明" not in logged


def test_an_item_that_failed_waits_for_its_next_try_and_is_forgotten_once_it_succeeds(pool: Pool) -> None:
    attempts, worker = Attempts(pool, BOOK, "letters", schedule=NO_PAUSE), Worker(a=ItemFailed("not yet"))
    patient = Attempts(pool, BOOK, "patient")
    assert attempts.each(["a"], worker, key=name) == Tally(0, 1, 0)
    assert patient.each(["a"], worker, key=name) == Tally(0, 1, 0)
    worker.errors.clear()
    assert patient.each(["a"], worker, key=name) == Tally(0, 0, 1), "its pause is not over"
    assert attempts.each(["a"], worker, key=name) == Tally(1, 0, 0)
    assert [one.worker for one in found(pool)] == ["patient"]


def test_an_item_is_parked_after_its_last_try_and_goes_on_when_it_is_replayed(pool: Pool) -> None:
    attempts, worker = Attempts(pool, BOOK, "letters", schedule=NO_PAUSE), Worker(a=ItemFailed("not yet"))
    for _ in range(4):
        attempts.each(["a"], worker, key=name)
    [parked] = found(pool)
    assert (parked.tries, parked.is_parked, parked.error) == (3, True, "not yet")
    worker.errors.clear()
    assert attempts.each(["a"], worker, key=name) == Tally(0, 0, 1)
    with pool.connection() as connection:
        assert replay(connection, BOOK, worker="heads") == 0
        assert replay(connection, BOOK, worker="letters", item="a") == 1
    assert attempts.each(["a"], worker, key=name) == Tally(1, 0, 0)
    assert found(pool) == []


def test_an_item_that_no_further_try_can_help_is_parked_at_once(pool: Pool) -> None:
    Attempts(pool, BOOK, "letters").each(["a"], Worker(a=ItemFailed("no font has it", retry=False)), key=name)
    assert [(one.tries, one.is_parked) for one in found(pool)] == [(1, True)]


@pytest.mark.parametrize("error", [DatabaseUnavailable("away"), ImportOpen(BOOK)], ids=["away", "import"])
def test_what_lies_with_the_ledger_ends_the_round_and_is_no_fault_of_an_item(
    pool: Pool, error: Exception
) -> None:
    with pytest.raises(type(error)):
        Attempts(pool, BOOK, "letters").each(["a", "b"], Worker(a=error), key=name)
    assert found(pool) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_disk_is_no_fault_of_an_item_and_those_that_need_no_room_are_handled(
    pool: Pool, number: int
) -> None:
    worker = Worker(a=OSError(number, "the machine"))
    with pytest.raises(OSError, match="the machine"):
        Attempts(pool, BOOK, "letters").each(["a", "b"], worker, key=name)
    assert worker.handled == ["b"]
    assert found(pool) == []


def test_a_failure_that_cannot_be_recorded_because_the_database_is_away_is_raised(
    pool: Pool, database: Database
) -> None:
    def cut(_item: str) -> None:
        execute(
            database.superuser_dsn,
            "select pg_terminate_backend(pid) from pg_stat_activity "
            f"where datname = '{database.name}' and pid <> pg_backend_pid()",
            f"alter database {database.name} with allow_connections false",
        )
        message = "whatever"
        raise psycopg2.OperationalError(message)

    try:
        with pytest.raises((DatabaseUnavailable, psycopg2.OperationalError)):
            Attempts(pool, BOOK, "letters").each(["a"], cut, key=name)
    finally:
        server = database.superuser_dsn.replace(database.name, "postgres")
        execute(server, f"alter database {database.name} with allow_connections true")
    assert found(pool) == []


def test_pauses_grow_and_an_item_is_tried_for_more_than_a_day() -> None:
    assert list(SCHEDULE) == sorted(SCHEDULE)
    assert sum(SCHEDULE, timedelta(0)) > timedelta(days=1)
