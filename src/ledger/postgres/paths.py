"""What lies where in the home of an embedded ledger: its files, the locks on them, the roles' passwords."""

import contextlib
import fcntl
import json
import os
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from ledger.postgres.data_dir import PostgresUnavailable, make_home_folder, make_private_folder

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
    """Return whether nobody holds the lock alone."""
    with FileLock(path) as lock:
        return lock.try_shared()


def is_shared(path: Path) -> bool:
    """Return whether somebody holds the lock together with others."""
    with FileLock(path) as lock:
        return lock.try_shared() and not lock.try_alone()


ROLE = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def password_of(folder: Path, role: str) -> str:
    """Return the role's password, which is drawn (192 bits) when it is asked for the first time.

    Raises PostgresUnavailable when others may read the file, ValueError on a name that is no role's.
    """
    if ROLE.fullmatch(role) is None:
        message = f"{role!r} is no name of a role: lower-case letters, digits, _ and - only"
        raise ValueError(message)
    path = folder / role
    if not path.exists():
        _draw(path)
    if path.stat().st_mode & 0o077:
        message = f"Others may read the password in {path}: chmod 600 {path}"
        raise PostgresUnavailable(message)
    return path.read_text().strip()


def _draw(path: Path) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(24) + "\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):  # unlike a rename, this lets the first of two programs win
        path.hardlink_to(fresh)
    fresh.unlink()


COMMONS = Path("/var/lib/coverledger")
FORMER_COMMONS = Path("/var/lib/claims-ledger")
"""Where root puts what the user that runs Postgres could not reach elsewhere."""


RESTARTS = 10
"""Ends of Postgres in a row that nobody asked for, after which it is not started again."""
STEADY_SECONDS = 60
"""A Postgres that ran for so long begins a new row."""


@dataclass(frozen=True, slots=True)
class HomePaths:
    """The files of the embedded Postgres under one home."""

    home: Path

    @property
    def folder(self) -> Path:
        """Everything of Postgres, but for its passwords."""
        return self.home / "postgres"

    @property
    def passwords(self) -> Path:
        """One file a role. Kept apart, so that a dump can be restored into a new data folder."""
        return self.home / "secrets" / "postgres"

    @property
    def users(self) -> Path:
        """Lock shared by every program that uses the server; the warden waits to have it alone."""
        return self.folder / "users.lock"

    @property
    def starting(self) -> Path:
        """Lock of the one program that looks for the server or starts it."""
        return self.folder / "start.lock"

    @property
    def leaving(self) -> Path:
        """Lock of the one program that finds out whether it is the last to leave."""
        return self.folder / "leave.lock"

    @property
    def warden(self) -> Path:
        """Lock of the warden for as long as it lives."""
        return self.folder / "warden.lock"

    @property
    def postmaster(self) -> Path:
        """Lock of the warden and of every Postgres process: free means that none of them is left."""
        return self.folder / "postgres.lock"

    @property
    def pointer(self) -> Path:
        """Names the folder that holds the data, where that is not this one."""
        return self.folder / "data-folder"

    @property
    def running(self) -> Path:
        """Describes the server that runs."""
        return self.folder / "server.json"

    @property
    def log(self) -> Path:
        """What the warden and Postgres have to say."""
        return self.folder / "server.log"

    def create(self) -> FileLock:
        """Make the home and its folders and return the lock of the users, not yet taken.

        Where root makes them, others may pass through them but not look.

        Raises PostgresUnavailable when the home cannot be written.
        """
        try:
            make_home_folder(self.home)
            make_home_folder(self.folder)
            make_private_folder(self.passwords.parent)
            make_private_folder(self.passwords)
            return FileLock(self.users)
        except OSError as error:
            message = (
                f"The ledger's home {self.home} cannot be written ({error.strerror}): "
                "set COVERLEDGER_HOME to a folder of your own, or run as the user whom it belongs to."
            )
            raise PostgresUnavailable(message) from error


@dataclass(frozen=True, slots=True)
class RunningServer:
    """How a running server is reached."""

    socket_folder: str
    port: int
    version: str
    binaries: str
    warden_pid: int

    def write(self, path: Path) -> None:
        """Publish at once and whole."""
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self)))
        fresh.replace(path)

    @classmethod
    def read(cls, path: Path) -> "RunningServer | None":
        """Return what the warden published, or None when no server is ready."""
        try:
            fields: Mapping[str, object] = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        return cls(
            socket_folder=str(fields["socket_folder"]),
            port=int(str(fields["port"])),
            version=str(fields["version"]),
            binaries=str(fields["binaries"]),
            warden_pid=int(str(fields["warden_pid"])),
        )
