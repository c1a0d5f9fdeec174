"""Brings a database's schema up to date: numbered plain SQL, forward only, applied once under a lock."""


def migrate(dsn: str) -> list[str]:
    """Apply what is missing; names of the migrations applied now. `dsn` is that of the role that migrates."""
    raise NotImplementedError


def pending(dsn: str) -> list[str]:
    """Names of the migrations that are here and not yet applied."""
    raise NotImplementedError
