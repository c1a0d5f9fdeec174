"""Run one of Postgres' own programs on the server of a home: ``python -m ledger.postgres HOME psql``."""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ledger.environment import variable
from ledger.errors import CliError
from ledger.postgres import EmbeddedPostgres


def main(arguments: Sequence[str] | None = None) -> int:
    """Join the server, run the program as its superuser and return its exit status; else that of `Ending`."""
    parser = argparse.ArgumentParser(prog="python -m ledger.postgres", description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("program", nargs="?", default="psql", help="psql, pg_dump, pg_dumpall, …")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    given = parser.parse_args(arguments)
    try:
        wanted = variable("postgres_bin")
        with EmbeddedPostgres(given.home, binaries=Path(wanted) if wanted else None).join() as server:
            command = [server.binaries / given.program, *given.arguments]
            return subprocess.run(command, check=False, env=server.tool_environment()).returncode
    except CliError as reason:
        sys.stderr.write(f"{reason}\n")
        return reason.exit_code


if __name__ == "__main__":
    sys.exit(main())
