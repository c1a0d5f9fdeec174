"""A Postgres that may lose what it acknowledged is no ledger's: find out before it is used."""

import os
import subprocess
from pathlib import Path

from ledger.embedded.binaries import Binaries
from ledger.embedded.cluster import SUPERUSER
from ledger.embedded.postmaster import PORT
from ledger.embedded.unavailable import PostgresUnavailable

# What a role or a database was given for itself, and the server's own settings.
# synchronous_commit = local, remote_write and remote_apply all wait for this server's disk.
QUERY = """
SELECT given || coalesce(' for role ' || r.rolname, '') || coalesce(' in database ' || d.datname, '')
  FROM pg_catalog.pg_db_role_setting s
  CROSS JOIN LATERAL unnest(s.setconfig) AS given
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
  LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
 WHERE given ~* '^synchronous_commit=(of|f|n|0)'
UNION ALL
SELECT name || ' = ' || setting FROM pg_catalog.pg_settings
 WHERE (name IN ('fsync', 'full_page_writes') AND setting <> 'on')
    OR (name = 'synchronous_commit' AND setting = 'off')
"""


def require_durable(binaries: Binaries, socket_folder: Path, password: str, data: Path) -> None:
    """Raise PostgresUnavailable, naming the setting, when a commit could be lost by a crash."""
    asked = subprocess.run(
        [binaries.folder / "psql", "-X", "-A", "-t", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-c", QUERY],
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        cwd="/",
        env=tool_environment(socket_folder, password),
    )
    if asked.returncode != 0:
        said = " ".join(asked.stderr.split()) or "psql failed"
        message = f"The settings of Postgres could not be read: {said}"
        raise PostgresUnavailable(message)
    loose = asked.stdout.split("\n")[0].strip()
    if loose:
        message = (
            f"Postgres would forget what it has acknowledged ({loose}): the ledger refuses to run on it. "
            f"Take that setting back (see postgresql.conf and postgresql.auto.conf in {data}, "
            "ALTER ROLE and ALTER DATABASE) and start again."
        )
        raise PostgresUnavailable(message)


def tool_environment(socket_folder: Path, password: str) -> dict[str, str]:
    """Return our environment with what makes Postgres' own tools find the server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {
        "PGHOST": str(socket_folder),
        "PGPORT": str(PORT),
        "PGUSER": SUPERUSER,
        "PGPASSWORD": password,
        "PGDATABASE": "postgres",
        "PGCONNECT_TIMEOUT": "10",
    }
