"""The folders of a home, the server's log in it, and why the embedded Postgres cannot be had.

The log tells no values. A statement holds what is recorded, a detail the row that was refused: wrapped keys,
ciphertext, keyed hashes. The server is told to write neither, whatever its own settings file says; what older
versions let it write is blotted out where it stands, so that nobody who writes meanwhile is disturbed.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ledger.errors import Unavailable


class PostgresUnavailable(Unavailable):
    """The embedded Postgres cannot be started, joined or trusted.

    The message is one line that says what is wrong and what to do next.
    """


def make_home_folder(folder: Path) -> None:
    """Make a folder of the home that only we may look into; one that is there already stays as it is.

    Of root's, others may pass through it, since root hands Postgres to another user. Raises OSError.
    """
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)


def make_private_folder(folder: Path) -> None:
    """Make a folder that nobody else may enter; one that is there already stays as it is. Raises OSError."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)


SILENCE: Final[Sequence[str]] = (
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    "log_statement=none",
    "log_min_duration_statement=-1",
    "log_min_duration_sample=-1",
    "log_transaction_sample_rate=0",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
)
"""Settings of a server that writes no statement, no parameter and no detail of an error."""

_TELLING: Final = re.compile(
    rb"(?:(?:STATEMENT|DETAIL|CONTEXT|QUERY):  |"
    rb"LOG:  (?:statement: |execute |parse |bind |duration: [0-9.]+ ms  ))"
    rb"(?P<told>[^\n]*(?:\n\t[^\n]*)*)"
)
_BLOT: Final = b"*"


def blot_out_log(home: Path) -> int:
    """Blot out statements and details in the log of a home's server; how many there were."""
    return blot_out(home / "postgres" / "server.log")


def blot_out(log: Path) -> int:
    """Blot out statements and details in a log and in the one put aside before it; how many there were.

    Files keep their sizes: the server may go on writing meanwhile.
    """
    return sum(_blot_out(file) for file in (log, log.with_suffix(".log.1")) if file.is_file())


def _blot_out(file: Path) -> int:
    blotted = 0
    with file.open("r+b") as opened:
        for found in _TELLING.finditer(opened.read()):
            told = found["told"]
            blot = re.sub(rb"[^\n\t]", _BLOT, told)
            if blot != told:
                opened.seek(found.start("told"))
                opened.write(blot)
                blotted += 1
        if blotted:
            opened.flush()
            os.fsync(opened.fileno())
    return blotted
