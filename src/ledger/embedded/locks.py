"""File locks that the kernel gives back when their holder dies, however it dies."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

PAUSE_SECONDS = 0.01


class FileLock:
    """An advisory lock on a file (``flock``), held by this program until released or dead.

    Two objects on one path exclude each other, also within one program.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, which is made when it is missing; no lock is taken yet."""
        self.path = path
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor: int | None = os.open(path, flags, 0o600)

    def fileno(self) -> int:
        """Return the open file that carries the lock; a child that inherits it holds the lock as well."""
        if self._descriptor is None:
            message = f"the lock on {self.path} is released"
            raise ValueError(message)
        return self._descriptor

    def wait_shared(self) -> None:
        """Hold the lock together with others, waiting while one program has it alone."""
        fcntl.flock(self.fileno(), fcntl.LOCK_SH)

    def wait_alone(self) -> None:
        """Hold the lock alone, waiting until nobody else holds it."""
        fcntl.flock(self.fileno(), fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Hold the lock together with others if nobody has it alone; say whether that worked."""
        return self._try(fcntl.LOCK_SH)

    def try_alone(self, within_seconds: float = 0.0) -> bool:
        """Hold the lock alone if that is possible in time; a share held before is given up either way."""
        deadline = time.monotonic() + within_seconds
        while not self._try(fcntl.LOCK_EX):
            if time.monotonic() >= deadline:
                return False
            time.sleep(PAUSE_SECONDS)
        return True

    def release(self) -> None:
        """Close the file. A child that inherited it goes on holding the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self.fileno(), kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def __enter__(self) -> Self:
        """Return the lock, which is released at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release the lock."""
        self.release()


def is_free(path: Path) -> bool:
    """Say whether nobody holds the lock alone."""
    with FileLock(path) as lock:
        return lock.try_shared()


def is_shared(path: Path) -> bool:
    """Say whether somebody holds the lock together with others."""
    with FileLock(path) as lock:
        return lock.try_shared() and not lock.try_alone()
