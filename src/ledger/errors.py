"""How a program of the ledger ends when it does not end well: one line for the user and an exit code.

Exit codes: 0 done · 1 refused, or a check failed · 2 used wrongly, or input malformed · 3 the ledger
can't be reached, or there is none. Pure: imports nothing, so that every layer may raise one.
"""


class CliError(Exception):
    """The program stops here. The message is one line: what is wrong and what to do next."""

    exit_code = 1
    may_be_logged = True


class Rejected(CliError):
    """The ledger said no, or a check found something wrong (exit 1)."""

    exit_code = 1


class UsageError(CliError):
    """The command line, a setting or the input is not as it must be (exit 2)."""

    exit_code = 2


class Unavailable(CliError):
    """The ledger can't be reached: no server, no rights, no disk (exit 3)."""

    exit_code = 3


class NoLedger(Unavailable):
    """Where the ledger should be there is none, or not this book; nothing was made (exit 3)."""


class ClockBehind(Unavailable):
    """The clock stands before what is recorded already; nothing was recorded or remembered (exit 3)."""


class OldSchema(Unavailable):
    """The ledger that is there needs migrating first; nothing was changed (exit 3)."""
