"""What is worth trying again, and how long to wait before."""

import errno
from threading import Event as StopEvent
from typing import Final

import psycopg2
from tenacity import (
    Retrying,
    retry_if_exception,
    sleep_using_event,
    stop_after_attempt,
    stop_when_event_set,
    wait_exponential,
)

from ledger.store.errors import DatabaseUnavailable, OutcomeUnknown

FIRST_WAIT_SECONDS: Final = 0.05
LONGEST_WAIT_SECONDS: Final = 5.0

# SQLSTATE classes of what passes by itself: connection, transaction rolled back, resources, operator's
# intervention.
_TRANSIENT_CLASSES: Final = ("08", "40", "53", "57")
_TRANSIENT: Final = frozenset({"55P03", "25P03"})
"""A lock was not had; a transaction idled for too long."""
_AWAY_CLASSES: Final = ("08", "57")
_NO_ROOM_CLASS: Final = "53"
_DISK_FULL: Final = "53100"
_NO_ROOM_HERE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def is_transient(error: Exception) -> bool:
    """Return whether the same attempt may succeed a little later with nothing changed."""
    if isinstance(error, DatabaseUnavailable):
        return True
    if not isinstance(error, psycopg2.Error):
        return False
    if error.pgcode is None:
        return isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError))
    return error.pgcode[:2] in _TRANSIENT_CLASSES or error.pgcode in _TRANSIENT


def is_away(error: BaseException) -> bool:
    """Return whether the database does not answer: nothing is wrong with what was asked of it."""
    if isinstance(error, (DatabaseUnavailable, OutcomeUnknown)):
        return True
    if not isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError)):
        return False
    return error.pgcode is None or error.pgcode[:2] in _AWAY_CLASSES


def has_no_room(error: BaseException) -> bool:
    """Return whether a disk is full, the database's or ours, or the database has nothing left of its own."""
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM_HERE
    pgcode = getattr(error, "pgcode", None)
    return isinstance(pgcode, str) and pgcode[:2] == _NO_ROOM_CLASS


def passes_by_itself(error: Exception) -> bool:
    """Return whether the same request may succeed later with nothing changed in it."""
    return is_away(error) or has_no_room(error) or is_transient(error)


def described(error: BaseException) -> str:
    """Describe an error for anybody: by its type alone, unless its class says that its message may be told.

    What the driver, a library or Python say may quote what was being worked on. Those that `may_be_logged`
    may name files and servers of this machine, and no person.
    """
    kind = type(error).__name__
    if is_away(error):
        return f"{kind}: the database is away"
    if getattr(error, "pgcode", None) == _DISK_FULL:
        return f"{kind}: the database's disk is full"
    if isinstance(error, psycopg2.Error):
        return f"{kind} (SQLSTATE {error.pgcode})"
    if getattr(error, "may_be_told", False):
        return f"{kind}: {' '.join(str(error).split())}"
    if isinstance(error, OSError) and error.strerror:
        return f"{kind}: {error.strerror}"
    return kind


def retrying(until: StopEvent | None = None, *, tries: int | None = None) -> Retrying:
    """Return what tries a call again while its error is transient, waiting longer each time, up to a limit.

    Raises the last error once `until` is set or so many `tries` failed. Each call begins anew.
    """
    stop = StopEvent() if until is None else until
    return Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, Exception) and is_transient(error)),
        wait=wait_exponential(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS),
        stop=stop_when_event_set(stop) if tries is None else stop_after_attempt(tries),
        sleep=sleep_using_event(stop),
        reraise=True,
    )
