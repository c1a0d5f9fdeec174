"""The Postgres that the tests share."""

import psycopg2

from fixtures.server import PostgresServer


def test_the_tests_have_a_postgres_15_or_later(postgres_server: PostgresServer) -> None:
    connection = psycopg2.connect(postgres_server.superuser_dsn)
    try:
        assert connection.server_version >= 150000
    finally:
        connection.close()
