"""What is worth trying again, and how long to wait before."""

from threading import Event as StopEvent
from typing import Final

import psycopg2

from ledger.store.errors import Unreachable

FIRST_WAIT_SECONDS: Final = 0.05
LONGEST_WAIT_SECONDS: Final = 5.0

# SQLSTATE classes of what passes by itself: connection, transaction rolled back, resources, operator's
# intervention.
_TRANSIENT_CLASSES: Final = ("08", "40", "53", "57")
_LOCK_NOT_HAD: Final = "55P03"


def is_transient(error: Exception) -> bool:
    """Say whether the same attempt may succeed a little later with nothing changed."""
    if isinstance(error, Unreachable):
        return True
    if not isinstance(error, psycopg2.Error):
        return False
    if error.pgcode is None:
        return isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError))
    return error.pgcode[:2] in _TRANSIENT_CLASSES or error.pgcode == _LOCK_NOT_HAD


class Backoff:
    """Waits longer each time, up to a limit, and starts anew after a success."""

    def __init__(self) -> None:
        """Begin with the shortest wait."""
        self._seconds = FIRST_WAIT_SECONDS

    def wait(self, stop: StopEvent | None = None) -> None:
        """Wait, at most until `stop` is set."""
        (stop or StopEvent()).wait(self._seconds)
        self._seconds = min(self._seconds * 2, LONGEST_WAIT_SECONDS)

    def reset(self) -> None:
        """Begin again with the shortest wait."""
        self._seconds = FIRST_WAIT_SECONDS
