"""A Postgres of the ledger's own, for whoever has none: it runs while a program uses it, and no longer.

``EmbeddedPostgres(home).join()`` gives a share in it. See docs/embedded.md for what lies where.
"""

import sys

from ledger.embedded.server_log import blot_out_log
from ledger.embedded.unavailable import PostgresUnavailable

if sys.platform == "win32":
    from ledger.embedded.windows import EmbeddedPostgres, Server
else:
    from ledger.embedded.client import EmbeddedPostgres, Server

__all__ = ["EmbeddedPostgres", "PostgresUnavailable", "Server", "blot_out_log"]
