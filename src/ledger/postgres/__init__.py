"""A Postgres of the ledger's own, for whoever has none: it runs while a program uses it, and no longer.

``EmbeddedPostgres(home).join()`` gives a share in it. See docs/embedded.md for what lies where.
"""

import sys

from ledger.postgres.data_dir import PostgresUnavailable, blot_out_log

if sys.platform == "win32":
    from ledger.postgres.windows import EmbeddedPostgres, Server
else:
    from ledger.postgres.client import EmbeddedPostgres, Server

__all__ = ["EmbeddedPostgres", "PostgresUnavailable", "Server", "blot_out_log"]
