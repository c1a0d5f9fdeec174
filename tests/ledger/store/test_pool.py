"""Connections are lent to one at a time, given back clean, and dropped when they are broken."""

from threading import Event, Thread

import psycopg2
import pytest
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

from fixtures.database import Database, execute
from ledger.store.errors import DatabaseUnavailable
from ledger.store.pool import Connection, Pool
from ledger.store.retry import is_away


def backend(connection: Connection) -> int:
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        [(pid,)] = cursor.fetchall()
    return int(pid)


def test_a_connection_that_came_back_is_lent_again(pool: Pool) -> None:
    with pool.connection() as first:
        assert first.autocommit
        pid = backend(first)
    with pool.connection() as second:
        assert backend(second) == pid


def test_two_who_borrow_at_once_get_two_connections(pool: Pool) -> None:
    with pool.connection() as first, pool.connection() as second:
        assert backend(first) != backend(second)


def test_a_transaction_is_committed_at_its_end_and_rolled_back_on_an_error(pool: Pool) -> None:
    insert = "insert into ledger.tracking values ('book', %s, 1)"
    with pool.transaction() as connection, connection.cursor() as cursor:
        cursor.execute("show transaction_isolation")
        assert cursor.fetchall() == [("read committed",)]
        cursor.execute(insert, ("kept",))
    with pytest.raises(psycopg2.errors.UniqueViolation):
        record_in_one_transaction(pool, insert, "lost", "kept")
    with pool.connection() as connection, connection.cursor() as cursor:
        assert connection.autocommit
        assert connection.info.transaction_status == TRANSACTION_STATUS_IDLE
        cursor.execute("select application_name from ledger.tracking")
        assert cursor.fetchall() == [("kept",)]


def record_in_one_transaction(pool: Pool, insert: str, *names: str) -> None:
    with pool.transaction() as connection, connection.cursor() as cursor:
        for name in names:
            cursor.execute(insert, (name,))


def test_a_broken_connection_is_dropped_and_those_that_idled_with_it(pool: Pool, database: Database) -> None:
    end_all = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'coverledger'"
    with pool.connection() as first:
        with pool.connection() as second:
            ended = {backend(first), backend(second)}
        execute(database.superuser_dsn, f"{end_all} and datname = '{database.name}'")
        with pytest.raises(psycopg2.OperationalError):
            backend(first)
    with pool.connection() as first, pool.connection() as second:
        assert not {backend(first), backend(second)} & ended


def test_a_transaction_whose_connection_breaks_raises_what_broke_it(pool: Pool, database: Database) -> None:
    with pytest.raises(psycopg2.OperationalError), pool.transaction() as connection:
        execute(database.superuser_dsn, f"select pg_terminate_backend({backend(connection)})")
    with pool.connection() as connection:
        assert backend(connection)


def test_who_waits_too_long_for_a_connection_is_told_so(database: Database) -> None:
    with (
        Pool(database.app_dsn, size=1, wait_seconds=0.05) as pool,
        pool.connection(),
        pytest.raises(DatabaseUnavailable, match="all 1 are in use"),
        pool.connection(),
    ):
        pass


def test_who_waits_gets_the_connection_that_comes_back(database: Database) -> None:
    borrowed, served = Event(), Event()
    with Pool(database.app_dsn, size=1) as pool:

        def wait() -> None:
            borrowed.wait()
            with pool.connection():
                served.set()

        thread = Thread(target=wait)
        thread.start()
        with pool.connection():
            borrowed.set()
            assert not served.wait(0.1)
        assert served.wait(10)
        thread.join()


def test_a_closed_pool_lends_nothing(database: Database) -> None:
    pool = Pool(database.app_dsn)
    with pool.connection():
        pool.close()
    with pytest.raises(DatabaseUnavailable, match="closed"), pool.connection():
        pass


def test_a_server_that_is_away_is_unreachable_and_costs_no_place() -> None:
    pool = Pool("host=127.0.0.1 port=1 dbname=none user=none", size=1)
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable, match="cannot be reached"), pool.connection():
            pass


def test_fault_06_a_server_that_went_away_is_known_as_such_whatever_the_driver_calls_it(
    pool: Pool,
) -> None:
    def broken() -> None:
        message = "server closed the connection unexpectedly"
        raise psycopg2.DatabaseError(message)  # bare, and without SQLSTATE: as libpq's last word is at times

    with pool.connection() as connection:
        with pytest.raises(psycopg2.OperationalError, match="closed the connection") as error:
            connection.within_limit(broken)
        assert is_away(error.value)
        with pytest.raises(psycopg2.errors.UndefinedTable):
            connection.cursor().execute("select from ledger.nothing")
