"""A database whose clock stands still: `clock_timestamp()` of the ledger's statements finds ours first.

Column defaults keep the server's own clock: a column that was filled by one bears the instant of the run.
"""

from contextlib import closing
from datetime import datetime

import psycopg2

SCHEMA = "standing_clock"
_SEAM = f"""
create schema {SCHEMA};
create table {SCHEMA}.present (at timestamptz not null);
insert into {SCHEMA}.present values ('epoch');
create function {SCHEMA}.clock_timestamp() returns timestamptz language sql volatile as
    'select at from {SCHEMA}.present';
grant usage on schema {SCHEMA} to public;
grant select on {SCHEMA}.present to public;
"""


class StandingClock:
    """The clock of one database, by its superuser's DSN."""

    def __init__(self, dsn: str, at: datetime) -> None:
        """Put the seam in: connections made from now on read this clock."""
        self._dsn = dsn
        with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(_SEAM)
            cursor.execute("select current_database()")
            [(name,)] = cursor.fetchall()
            cursor.execute(f'alter database "{name}" set search_path = {SCHEMA}, pg_catalog, public')
        self.set(at)

    def set(self, at: datetime) -> None:
        """Let it stand at this instant."""
        with closing(psycopg2.connect(self._dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(f"update {SCHEMA}.present set at = %s", (at,))
