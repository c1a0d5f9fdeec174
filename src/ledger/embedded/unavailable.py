"""Why the embedded Postgres cannot be had."""


class PostgresUnavailable(Exception):
    """The embedded Postgres cannot be started, joined or trusted.

    The message is one line that says what is wrong and what to do next.
    """
