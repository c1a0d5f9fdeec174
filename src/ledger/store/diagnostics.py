"""What `doctor` asks of a database: whether it is durable, append-only for us, in time, up with its feed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.errors import DiskFull

from ledger.store.pool import Connection

SERVER = """
select current_setting('server_version'), current_setting('server_version_num')::int, current_user,
       pg_encoding_to_char(encoding), clock_timestamp()
from pg_database where datname = current_database()
"""

LOOSE = """
select name || ' = ' || setting from pg_settings
where (name in ('fsync', 'full_page_writes') and setting <> 'on')
   or (name = 'synchronous_commit' and setting = 'off')
"""

# By these a server writes whole statements, their parameters or the rows that it refused into its log.
TALKATIVE = """
select name || ' = ' || setting from pg_settings
where (name = 'log_min_error_statement' and setting not in ('fatal', 'panic'))
   or (name = 'log_error_verbosity' and setting <> 'terse')
   or (name = 'log_statement' and setting in ('mod', 'all'))
   or (name in ('log_min_duration_statement', 'log_min_duration_sample') and setting <> '-1')
   or (name = 'log_transaction_sample_rate' and setting::float > 0)
order by name
"""

# A superuser may all of it: what holds then is the triggers alone.
CHANGEABLE = """
select table_name from unnest(array['events', 'log', 'log_nodes', 'checkpoints', 'commands']) as table_name
where has_table_privilege('ledger.' || table_name, 'update')
   or has_table_privilege('ledger.' || table_name, 'delete')
   or has_table_privilege('ledger.' || table_name, 'truncate')
"""

UNWRITABLE = """
select table_name from unnest(array['log', 'log_nodes', 'checkpoints']) as table_name
where not has_table_privilege('ledger.' || table_name, 'insert')
"""

TAKES_WRITES = "select current_setting('transaction_read_only') = 'off'"
# A sort that does not fit into memory is written to the disk; nothing of ours is changed, nothing is left.
SPILL = """
set local work_mem = '64kB';
select count(*) from (
    select repeat('x', 64) || n from generate_series(1, 8000) as n order by 1 offset 1
) as spilt
"""

UNSEALED = "select count(*) from ledger.pending where book = %s"
END = "select coalesce(max(position), -1) from ledger.log where book = %s"
# Whoever builds something anew beside what is read (`limits@2`) is behind, and nobody waits for it.
FOLLOWERS = "select name, position from ledger.followers where book = %s and name !~ '@[0-9]+$'"
PARKED = "select follower, count(*) from ledger.parked where book = %s group by follower order by follower"


@dataclass(frozen=True, slots=True)
class ServerFound:
    """A server as it presents itself."""

    version: str
    number: int
    """`150004` for 15.4."""
    role: str
    encoding: str
    now: datetime


@dataclass(frozen=True, slots=True)
class FeedFound:
    """How far a book's feed and its followers are."""

    unsealed: int
    """Commits that have no position yet."""
    end: int
    """Position of the newest sealed event, -1 for none."""
    followers: dict[str, int]
    """Follower → position of the last event that it took."""
    parked: dict[str, int]
    """Follower → number of events that it could not take."""


def examine_server(connection: Connection) -> ServerFound:
    """Ask the server who and what it is."""
    with connection.cursor() as cursor:
        cursor.execute(SERVER)
        return ServerFound(*_one(cursor.fetchall()))


def loose_settings(connection: Connection) -> list[str]:
    """Return the settings under which an acknowledged commit could be lost."""
    with connection.cursor() as cursor:
        cursor.execute(LOOSE)
        return [setting for (setting,) in cursor.fetchall()]


def talkative_settings(connection: Connection) -> list[str]:
    """Return the settings under which what is recorded gets into the server's log."""
    with connection.cursor() as cursor:
        cursor.execute(TALKATIVE)
        return [setting for (setting,) in cursor.fetchall()]


def changeable_tables(connection: Connection) -> list[str]:
    """Return the append-only tables that this connection's role has the right to change."""
    with connection.cursor() as cursor:
        cursor.execute(CHANGEABLE)
        return [table for (table,) in cursor.fetchall()]


def unwritable_log_tables(connection: Connection) -> list[str]:
    """Return the tables of the log that this connection's role cannot write, so that it cannot seal."""
    with connection.cursor() as cursor:
        cursor.execute(UNWRITABLE)
        return [table for (table,) in cursor.fetchall()]


def takes_writes(connection: Connection) -> bool:
    """Return whether the server takes writes: a standby takes none."""
    with connection.cursor() as cursor:
        cursor.execute(TAKES_WRITES)
        return cursor.fetchall() == [(True,)]


def has_room(connection: Connection) -> bool:
    """Return whether there is room on the server's disk, in a transaction of its own."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(SPILL)
        except DiskFull:
            return False
    return True


def examine_feed(connection: Connection, book: str) -> FeedFound:
    """Ask how far a book's feed and its followers are."""
    with connection.cursor() as cursor:
        cursor.execute(UNSEALED, (book,))
        (unsealed,) = _one(cursor.fetchall())
        cursor.execute(END, (book,))
        (end,) = _one(cursor.fetchall())
        cursor.execute(FOLLOWERS, (book,))
        followers = dict(cursor.fetchall())
        cursor.execute(PARKED, (book,))
        return FeedFound(unsealed, end, followers, dict(cursor.fetchall()))


def _one(rows: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    (row,) = rows
    return row
