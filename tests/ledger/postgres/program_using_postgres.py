"""A program that uses the embedded Postgres of a home until its standard input ends: run by the tests."""

import sys
from pathlib import Path

from ledger.postgres import EmbeddedPostgres, PostgresUnavailable


def main() -> int:
    binaries = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    try:
        with EmbeddedPostgres(Path(sys.argv[1]), binaries=binaries).join() as server:
            sys.stdout.write(f"{server.superuser_dsn}\n")
            sys.stdout.flush()
            sys.stdin.read()
    except PostgresUnavailable as reason:
        sys.stderr.write(f"{reason}\n")
        return 3
    except KeyboardInterrupt:
        return 130
    return 0


sys.exit(main())
