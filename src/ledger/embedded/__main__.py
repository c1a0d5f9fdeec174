"""Run one of Postgres' own programs on the server of a home: ``python -m ledger.embedded HOME psql``."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ledger.embedded import EmbeddedPostgres, PostgresUnavailable


def main(arguments: Sequence[str] | None = None) -> int:
    """Join the server, run the program as its superuser and return its exit status, or 3 without a server."""
    parser = argparse.ArgumentParser(prog="python -m ledger.embedded", description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("program", nargs="?", default="psql", help="psql, pg_dump, pg_dumpall, …")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    given = parser.parse_args(arguments)
    wanted = os.environ.get("CLAIMS_LEDGER_POSTGRES_BIN")
    try:
        with EmbeddedPostgres(given.home, binaries=Path(wanted) if wanted else None).join() as server:
            command = [server.binaries / given.program, *given.arguments]
            return subprocess.run(command, check=False, env=server.tool_environment()).returncode
    except PostgresUnavailable as reason:
        sys.stderr.write(f"{reason}\n")
        return 3


if __name__ == "__main__":
    sys.exit(main())
