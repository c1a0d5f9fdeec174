"""Why the embedded Postgres cannot be had."""

from ledger.endings import Unreachable


class PostgresUnavailable(Unreachable):
    """The embedded Postgres cannot be started, joined or trusted.

    The message is one line that says what is wrong and what to do next.
    """
