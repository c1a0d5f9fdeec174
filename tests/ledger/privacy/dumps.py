"""Dumps of a database as Postgres' own programs make them, searched and put back."""

import os
import subprocess
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path

from fixtures.database import Database, execute
from ledger.postgres.binaries import find_binaries

DATA = ("ledger", "projections", "schedulers")


def tool(name: str) -> Path:
    given = os.environ.get("TEST_POSTGRES_BIN")
    return find_binaries(Path(given) if given else None).folder / name


def dumped(database: Database, *schemas: str) -> str:
    """The whole database as SQL, or these schemas of it."""
    chosen = [f"--schema={schema}" for schema in schemas]
    ended = subprocess.run(
        [tool("pg_dump"), f"--dbname={database.superuser_dsn}", *chosen], check=True, capture_output=True
    )
    return ended.stdout.decode()


def put_back(database: Database, dump: str, schemas: Iterable[str]) -> None:
    """Replace these schemas by those of a dump; the others stay as they are."""
    execute(database.superuser_dsn, *(f"drop schema {schema} cascade" for schema in schemas))
    subprocess.run(
        [tool("psql"), "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={database.superuser_dsn}"],
        check=True,
        capture_output=True,
        input=dump.encode(),
    )


def found_in(dump: str, values: Iterable[str]) -> list[str]:
    """The values that stand in a dump: as text, as JSON writes them, as a bytea in hexadecimal, as base64."""
    lowered = dump.lower()
    return [
        value
        for value in values
        if value in dump
        or value.encode("unicode_escape").decode() in dump
        or value.encode().hex() in lowered
        or value.encode("unicode_escape").hex() in lowered
        # Base64 falls into groups of three bytes: a value stands in one of three ways.
        or any(b64encode(value.encode()[cut:])[:-4].decode() in dump for cut in range(3))
    ]
