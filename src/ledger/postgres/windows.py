"""Windows has no file locks and no parent's-death signal of the kind that the supervisor rests on."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from ledger.postgres.data_dir import PostgresUnavailable


class Server:
    """Never made: only the name is there."""


class EmbeddedPostgres:
    """Says that there is none here."""

    def __init__(self, home: Path, *, binaries: Path | None = None) -> None:
        """Take what the real one takes."""
        self._home = home
        self._binaries = binaries

    @property
    def is_made(self) -> bool:
        """Leave it to `join` to say that there is none."""
        return True

    @contextlib.contextmanager
    def kept_idle(self) -> Iterator[None]:
        """Keep nothing: no server ever runs."""
        yield

    def join(self) -> NoReturn:
        """Raise PostgresUnavailable."""
        message = (
            "The embedded Postgres does not run on Windows: "
            "set COVERLEDGER_DSN to a Postgres 15 or later, or use WSL."
        )
        raise PostgresUnavailable(message)
