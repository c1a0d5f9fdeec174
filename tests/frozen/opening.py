"""Opening the frozen ledger: its dump in a database of its own, its home in a folder of its own.

The dump is plain SQL and the home an archive: whatever the program is called in later days opens them.
"""

import io
import json
import lzma
import os
import subprocess
import tarfile
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

import psycopg2
from psycopg2.extensions import make_dsn

from ledger.backup.dump import Tools
from ledger.store.pool import libpq_environment

LEDGER = Path(__file__).parent / "ledger"
"""What was frozen; its README says what is in it."""

NAME = "frozenledger"
"""The frozen database: its roles bear this name and a kind. Nothing else in the dump holds it."""
LOGINS = ("owner", "app", "sealer", "reporting", "auditor")
WORD = "only-for-tests"

PRESENT = datetime.fromisoformat("2026-12-01T10:00:00+00:00")
"""At which the ledger was frozen: its clock stands there when it is opened."""

REAL, SIMULATED = "cyber-care", "training"

_NOT_FOR_OLDER_SERVERS = ("SET transaction_timeout", "\\restrict", "\\unrestrict")


@dataclass(frozen=True, slots=True)
class Frozen:
    """A frozen ledger that was opened."""

    database: str
    superuser_dsn: str
    home: Path
    roles: str
    """What the names of its roles begin with: the database that it was cloned from, if it was."""

    def dsn(self, kind: str) -> str:
        return make_dsn(self.superuser_dsn, user=f"{self.roles}_{kind}_login", password=WORD)

    @property
    def settings(self) -> dict[str, str]:
        """As the program takes them."""
        return {
            "home": str(self.home),
            "dsn": self.dsn("app"),
            "migrate_dsn": self.dsn("owner"),
            "sealer_dsn": self.dsn("sealer"),
        }


def create_database(server_dsn: str, name: str) -> str:
    """Make an empty database with a login for each kind of role; gives its superuser's DSN."""
    execute(
        server_dsn,
        f"create role {name}_owner_login login createrole password '{WORD}'",
        f"create database {name} owner {name}_owner_login template template0 encoding 'UTF8'",
    )
    return make_dsn(server_dsn, dbname=name)


def admit_logins(dsn: str, name: str) -> None:
    """Give each login its role, once the roles are there."""
    for kind in LOGINS:
        if kind != "owner":
            execute(dsn, f"create role {name}_{kind}_login login password '{WORD}'")
        execute(dsn, f"grant {name}_{kind} to {name}_{kind}_login")


def restore_database(server_dsn: str) -> tuple[str, str]:
    """Load the frozen dump into a fresh database; its name and its superuser's DSN."""
    name = f"{NAME}_{token_hex(4)}"
    dsn = create_database(server_dsn, name)
    for kind in LOGINS:
        execute(dsn, f"create role {name}_{kind} nologin")
    execute(dsn, f"grant create on database {name} to {name}_owner")
    load(dsn, dump_for(name))
    admit_logins(dsn, name)
    return name, dsn


def dump_for(name: str) -> str:
    """Give the frozen dump with the roles of another database."""
    text = lzma.decompress((LEDGER / "database.sql.xz").read_bytes()).decode()
    return text.replace(f"{NAME}_", f"{name}_")


def load(dsn: str, script: str) -> None:
    """Run a script of Postgres' own dump, without words that older servers do not know."""
    known = (line for line in script.split("\n") if not line.startswith(_NOT_FOR_OLDER_SERVERS))
    psql = Tools.find(None, dsn).folder / "psql"
    ended = subprocess.run(
        [psql, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", "--file=-"],
        input="\n".join(known).encode(),
        capture_output=True,
        check=False,
        env={**os.environ, **libpq_environment(dsn)},
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr.decode()


def drop_database(server_dsn: str, name: str, *, roles: bool = True) -> None:
    execute(server_dsn, f"drop database {name} with (force)")
    for kind in LOGINS if roles else ():
        execute(server_dsn, f"drop role if exists {name}_{kind}_login", f"drop role if exists {name}_{kind}")


def unpack(archive: str, folder: Path) -> Path:
    """Lay an archive of the frozen ledger out in a folder, closed to others as it was."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    packed = lzma.decompress((LEDGER / archive).read_bytes())
    with tarfile.open(fileobj=io.BytesIO(packed)) as opened:
        opened.extractall(folder, filter="tar")
    return folder


def execute(dsn: str, *statements: str) -> None:
    """Run statements as they are, each in its own transaction."""
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def values(dsn: str, statement: str, *parameters: object) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall()


def kept(name: str) -> Any:  # noqa: ANN401  # whatever the file holds
    """Give what a JSON file of the frozen ledger holds."""
    return json.loads((LEDGER / name).read_text())


def head(book: str, moment: str) -> Path:
    """Give the file of a head that was kept."""
    return LEDGER / "heads" / f"{book}.{moment}.checkpoint"
