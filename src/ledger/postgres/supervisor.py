"""The supervisor: the program that Postgres is a child of, and that ends with its last user.

It runs by itself (``python -m ledger.postgres.supervisor``, own session, standard library only). Every
program that uses the server holds the shared lock on ``users.lock``; the warden waits to have that lock
alone. It gets it when the last user has gone, be it by ``kill -9``, and then stops Postgres and ends.
"""

import argparse
import contextlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from ledger.postgres.binaries import Binaries, find_binaries, for_account
from ledger.postgres.cluster import (
    PORT,
    SUPERUSER,
    Cluster,
    Postmaster,
    known_data,
    make,
    require_durable,
    require_same_major,
    settle,
)
from ledger.postgres.data_dir import PostgresUnavailable
from ledger.postgres.os_user import OsUser, account_for
from ledger.postgres.paths import (
    COMMONS,
    RESTARTS,
    STEADY_SECONDS,
    FileLock,
    HomePaths,
    RunningServer,
    password_of,
)

FORMER_SECONDS = 90
ORPHAN_SECONDS = 5
ROOM_BYTES = 20_000_000
"""Of room on the disk, without which Postgres is not started again: it needs a segment of its log."""
ROOM_SECONDS = 1
"""Between two looks whether there is room again."""
LONGEST_SOCKET = 100
LAST_STRANGER = 4096


class PostgresSupervisor:
    """Starts Postgres for one home, keeps it while it has users, and stops it after the last one."""

    def __init__(self, layout: HomePaths, binaries: Path, commons: Path) -> None:
        """Note what to watch over; nothing is started yet."""
        self._layout = layout
        self._wanted = binaries
        self._commons = commons
        self._postgres = FileLock(layout.postmaster)
        self._life = FileLock(layout.warden)
        self._users = FileLock(layout.users)
        self._socket: Path | None = None
        self._server: Postmaster | None = None
        self._ending = threading.Event()

    def start(self) -> None:
        """Bring Postgres up and publish it. Raises PostgresUnavailable."""
        if not self._life.try_alone(within_seconds=FORMER_SECONDS):
            message = f"Another warden has not let go of {self._layout.warden}: wait for it, or end it."
            raise PostgresUnavailable(message)
        self._layout.running.unlink(missing_ok=True)
        self._await_orphans()
        account = account_for(known_data(self._layout))
        binaries = for_account(find_binaries(self._wanted), account, self._commons)
        cluster = Cluster(settle(self._layout, account, self._commons), account, self._postgres.fileno())
        password = password_of(self._layout.passwords, SUPERUSER)
        if not cluster.exists:
            make(cluster, binaries, password)
        require_same_major(self._layout, cluster, binaries)
        self._socket = socket_folder(cluster.place, account)
        self._server = Postmaster(cluster, binaries, self._socket, self._layout.log)
        self._server.start()
        require_durable(binaries, self._socket, password, cluster.data)
        self._publish(binaries)

    def _publish(self, binaries: Binaries) -> None:
        RunningServer(
            socket_folder=str(self._socket),
            port=PORT,
            version=binaries.version,
            binaries=str(binaries.folder),
            warden_pid=os.getpid(),
        ).write(self._layout.running)

    def _await_orphans(self) -> None:
        """Wait for what an earlier warden, ended by force, left of Postgres; then end it ourselves."""
        if self._postgres.try_alone(within_seconds=ORPHAN_SECONDS):
            return
        data = known_data(self._layout)
        noted = data / "postmaster.pid" if data is not None else None
        if noted is not None and noted.exists():
            os.kill(int(noted.read_text().split()[0]), signal.SIGINT)
        if not self._postgres.try_alone(within_seconds=FORMER_SECONDS):
            message = f"A Postgres of an earlier run still holds {self._layout.postmaster}: end it first."
            raise PostgresUnavailable(message)

    def keep(self) -> int:
        """Keep Postgres running until nobody uses it or we are told to stop; return our exit status."""
        server = self._started()
        threading.Thread(target=self._end_after_last_user, daemon=True).start()
        failures = 0
        while True:
            since = time.monotonic()
            server.wait()
            failures = 0 if time.monotonic() - since > STEADY_SECONDS else failures + 1
            if self._waited_for_room():
                failures = 0
            if self._ending.is_set():
                return 0
            if failures > RESTARTS or not self._restart(server):
                return 1

    def _waited_for_room(self) -> bool:
        """Wait, if the disk of the data is full, until it is not; say whether it was.

        Postgres ends on a full disk, and could not start on it: that is no fault of its own.
        """
        if not self._is_full():
            return False
        _note("the disk is full; Postgres is started again once there is room")
        while self._is_full() and not self._ending.wait(ROOM_SECONDS):
            pass
        return True

    def _is_full(self) -> bool:
        data = known_data(self._layout)
        if data is None or not data.is_dir():
            return False
        disks = [os.statvfs(folder) for folder in (data, data / "pg_wal") if folder.is_dir()]
        return any(disk.f_bavail * disk.f_frsize < ROOM_BYTES for disk in disks)

    def _restart(self, server: Postmaster) -> bool:
        """Start Postgres again after it ended unasked (out of memory, say); say whether it runs."""
        _note("Postgres ended unasked; starting it again")
        for _ in range(RESTARTS):
            self._waited_for_room()
            try:
                server.start()
            except PostgresUnavailable as reason:  # its former processes may take a moment to go
                _note(str(reason))
                if self._ending.wait(timeout=1):
                    return False
            else:
                if self._ending.is_set():  # the last user left in between, and asked the former one to stop
                    server.ask_to_stop()
                return True
        return False

    def _end_after_last_user(self) -> None:
        self._users.wait_alone()
        self.end()

    def end(self) -> None:
        """Ask Postgres to stop; ``keep`` then returns."""
        self._layout.running.unlink(missing_ok=True)
        self._ending.set()
        self._started().ask_to_stop()

    def close(self) -> None:
        """Clear away what this run left, whatever state it is in.

        The locks are left to the end of the process: once they are free, the process is gone.
        """
        self._layout.running.unlink(missing_ok=True)
        self._ending.set()
        if self._server is not None:
            self._server.stop()
        if self._socket is not None:
            shutil.rmtree(self._socket, ignore_errors=True)

    def _started(self) -> Postmaster:
        if self._server is None:
            message = "Postgres was not started"
            raise ValueError(message)
        return self._server


def socket_folder(place: Path, account: OsUser) -> Path:
    """Return a new, empty folder for the socket that only the user may enter.

    It is made beside the data, or, where its path would be none for a socket, in a short place.
    """
    near = place / "socket"
    listed = "," in str(near)  # clients would take it for a list of servers
    if not listed and len(os.fsencode(near / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET:
        shutil.rmtree(near, ignore_errors=True)
        near.mkdir(mode=0o700)
        account.give(near)
        return near
    short = [os.environ.get("XDG_RUNTIME_DIR", "")] if account.is_ours else ["/run"]
    for base in (*short, "/tmp"):  # noqa: S108 - mkdtemp makes a folder with a random name that is ours alone
        folder = Path(base)
        if base and folder.is_absolute() and os.access(folder, os.W_OK | os.X_OK) and account.reaches(folder):
            made = Path(tempfile.mkdtemp(prefix="coverledger-", dir=folder))
            account.give(made)
            return made
    message = f"No folder is short enough for Postgres' socket: set COVERLEDGER_HOME to less than {place}."
    raise PostgresUnavailable(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the warden. Its only line on standard output is ``{}`` once Postgres is ready, or what failed."""
    parser = argparse.ArgumentParser(prog="ledger.postgres.supervisor")
    parser.add_argument("home", type=Path)
    parser.add_argument("binaries", type=Path)
    parser.add_argument("--commons", type=Path, default=COMMONS)
    given = parser.parse_args(arguments)
    os.closerange(
        3, LAST_STRANGER
    )  # whoever waits for the end of a pipe of our starter's must not wait for us
    warden = PostgresSupervisor(HomePaths(given.home), given.binaries, given.commons)

    def end(_number: int, _frame: FrameType | None) -> None:
        warden.end()

    with contextlib.suppress(PermissionError):  # we lead a group already: started by hand, from a shell
        os.setsid()
    os.chdir("/")
    # A Postgres that ends on a full log would fill the disk of its data with what it held in memory.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for unheard in (signal.SIGINT, signal.SIGHUP):
        signal.signal(unheard, lambda _number, _frame: None)  # not SIG_IGN, which Postgres would inherit
    try:
        warden.start()
        signal.signal(signal.SIGTERM, end)
        _report({})
        return warden.keep()
    except PostgresUnavailable as reason:
        _report({"failed": str(reason)})
        return 1
    except Exception as error:
        _report(
            {"failed": f"{type(error).__name__}: {error} (log: {given.home / 'postgres' / 'server.log'})"}
        )
        raise
    finally:
        warden.close()


def _report(said: dict[str, str]) -> None:
    """Report to whoever started us, who may be gone, and leave its pipe."""
    try:
        os.write(1, json.dumps(said).encode() + b"\n")
    except BrokenPipeError:
        _note(f"nobody waits to be told {said}")
    os.dup2(2, 1)


def _note(said: str) -> None:
    """Write a line to our log, which is our standard error."""
    sys.stderr.write(f"warden: {said}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
