"""A database whose clock a test sets: `clock_timestamp()` of the ledger's statements finds ours first."""

from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import psycopg2

SEAM = """
create schema moved_clock;
create table moved_clock.ahead (by interval not null);
insert into moved_clock.ahead values ('0');
create function moved_clock.clock_timestamp() returns timestamptz language sql volatile as
    'select pg_catalog.clock_timestamp() + by from moved_clock.ahead';
grant usage on schema moved_clock to public;
grant select on moved_clock.ahead to public;
"""


class MovedClock:
    """The clock of one database, by its superuser's DSN."""

    def __init__(self, dsn: str) -> None:
        """Put the seam in: connections made from now on read this clock."""
        self._dsn = dsn
        self._do(SEAM)
        [(name,)] = self._do("select current_database()")
        self._do(f'alter database "{name}" set search_path = moved_clock, pg_catalog, public')

    def now(self) -> datetime:
        """The database's time, UTC."""
        [(now,)] = self._do("select moved_clock.clock_timestamp()")
        return now.astimezone(UTC)  # type: ignore[no-any-return] # a timestamptz

    def set(self, to: datetime) -> None:
        """Set it to an instant, from which it goes on."""
        self._do("update moved_clock.ahead set by = %s - pg_catalog.clock_timestamp()", to)

    def _do(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self._dsn)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return cursor.fetchall() if cursor.description else []
