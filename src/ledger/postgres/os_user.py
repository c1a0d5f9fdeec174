"""The user that Postgres runs as: ourselves, or, for root, somebody without rights."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.postgres.data_dir import PostgresUnavailable

PR_SET_PDEATHSIG = 1
UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class OsUser:
    """A user by its ids."""

    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether it is the user that this program runs as."""
        return self.uid == os.geteuid()

    def run(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        typed: str = "",
        lock: int | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end as this user, its standard input as typed, its output captured.

        It inherits the file of the lock, if one is given.
        """
        return subprocess.run(
            [str(word) for word in command],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            input=typed,
            cwd="/",
            env=dict(environment),
            pass_fds=() if lock is None else (lock,),
            user=None if self.is_ours else self.uid,
            group=None if self.is_ours else self.gid,
            extra_groups=None if self.is_ours else [],
            preexec_fn=die_with_parent(os.getpid()),
        )

    def reaches(self, path: Path) -> bool:
        """Return whether this user may enter the folder, or run the program, by trying it."""
        asked = self.run(["/bin/sh", "-c", 'test -x "$1"', "sh", path], environment={"PATH": "/usr/bin:/bin"})
        return asked.returncode == 0

    def give(self, path: Path) -> None:
        """Hand a file or folder that we made to this user."""
        if not self.is_ours:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def die_with_parent(parent: int) -> Callable[[], None] | None:
    """Return what a child does first, so that it gets SIGINT when the thread that starts it ends.

    Linux only; elsewhere there is nothing to do. It runs after the change of user, which would undo it. It
    takes no lock and imports nothing, so that it is safe between fork and exec.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def tie() -> None:
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
        if os.getppid() != parent:  # it died before the tie held
            os._exit(1)

    return tie


def account_for(data: Path | None) -> OsUser:
    """Return who runs Postgres: the owner of the data where there is some, else ourselves, but never root.

    Raises PostgresUnavailable when the data belongs to somebody else, or when root finds nobody to run it.
    """
    if data is not None and data.exists():
        owner = data.stat()
        if owner.st_uid != os.geteuid() and os.geteuid() != 0:
            message = (
                f"The ledger's data in {data} belongs to another user: "
                "run as that user, or set COVERLEDGER_HOME to a folder of your own."
            )
            raise PostgresUnavailable(message)
        if owner.st_uid != 0:
            return OsUser(owner.st_uid, owner.st_gid)
    if os.geteuid() != 0:
        return OsUser(os.geteuid(), os.getegid())
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return OsUser(entry.pw_uid, entry.pw_gid)
    message = (
        "Postgres does not run as root, and this machine has neither a user postgres nor a user nobody: "
        "add one (useradd --system postgres), or set COVERLEDGER_DSN to a Postgres that runs already."
    )
    raise PostgresUnavailable(message)
