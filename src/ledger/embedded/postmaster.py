"""One run of Postgres, tied to the life of the program that started it."""

import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

from ledger.embedded.account import die_with_parent
from ledger.embedded.binaries import Binaries
from ledger.embedded.cluster import SUPERUSER, Cluster, environment
from ledger.embedded.server_log import SILENCE
from ledger.embedded.unavailable import PostgresUnavailable

PORT = 5432
POLL_SECONDS = 0.005
FAST_SHUTDOWN_SECONDS = 60
_PARAMETERS = f"user\0{SUPERUSER}\0database\0postgres\0\0".encode()
HERE_I_AM = struct.pack("!ii", 8 + len(_PARAMETERS), 3 << 16) + _PARAMETERS
"""A startup message of protocol 3.0, its length before it."""
ASKS_FOR_PASSWORD = b"R"
TELLING = re.compile(r"\b(?:FATAL|PANIC|ERROR):\s+(.*)|(.*could not .*)")


class Postmaster:
    """A running Postgres.

    It gets a fast shutdown (SIGINT) when the thread that started it ends, so start it from one that lasts.
    """

    def __init__(self, cluster: Cluster, binaries: Binaries, socket_folder: Path, log: Path) -> None:
        """Describe the run; nothing is started yet."""
        self._cluster = cluster
        self._binaries = binaries
        self._socket_folder = socket_folder
        self._log = log
        self._program: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start Postgres and wait until it takes connections.

        Raises PostgresUnavailable with the line of its log that says why it did not.
        """
        self._drop_stale_pid()
        account = self._cluster.account
        quoted = str(self._socket_folder).replace('"', '""')
        with self._log.open("ab") as log:
            begin = log.tell()
            self._program = subprocess.Popen(
                [
                    self._binaries.folder / "postgres",
                    *("-D", self._cluster.data),
                    *("-c", "listen_addresses="),
                    *("-c", f"port={PORT}"),
                    *("-c", f'unix_socket_directories="{quoted}"'),
                    *("-c", "unix_socket_permissions=0700"),
                    *("-c", "logging_collector=off"),
                    *("-c", "log_destination=stderr"),
                    *(word for setting in SILENCE for word in ("-c", setting)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=dict(environment()),
                pass_fds=(self._cluster.lock,),
                user=None if account.is_ours else account.uid,
                group=None if account.is_ours else account.gid,
                extra_groups=None if account.is_ours else [],
                preexec_fn=die_with_parent(os.getpid()),  # noqa: PLW1509 - safe beside threads, see there
            )
        while not self._is_ready():
            if self._program.poll() is not None:
                message = f"Postgres did not start: {self._reason(begin)} (log: {self._log})"
                raise PostgresUnavailable(message)
            time.sleep(POLL_SECONDS)

    @property
    def pid(self) -> int:
        """The process id of the first of Postgres' processes."""
        return self._running().pid

    def wait(self) -> int:
        """Wait until Postgres has ended; return its exit status."""
        return self._running().wait()

    def ask_to_stop(self) -> None:
        """Ask for a fast shutdown, then for an immediate one if that takes long. Neither loses a commit."""
        program = self._program
        if program is not None:
            program.send_signal(signal.SIGINT)
            impatience = threading.Timer(FAST_SHUTDOWN_SECONDS, program.send_signal, (signal.SIGQUIT,))
            impatience.daemon = True
            impatience.start()

    def stop(self) -> None:
        """Stop Postgres if it runs, and wait until it has ended."""
        if self._program is not None and self._program.poll() is None:
            self.ask_to_stop()
            self._program.wait()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._program is None:
            message = "Postgres was not started"
            raise ValueError(message)
        return self._program

    def _pid_lines(self) -> list[str]:
        try:
            return (self._cluster.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _is_ready(self) -> bool:
        """Read the state that Postgres itself keeps in postmaster.pid: line 1 its pid, line 8 its state."""
        lines = self._pid_lines()
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"  # noqa: PLR2004

    def _drop_stale_pid(self) -> None:
        """Remove a postmaster.pid that a crash left and whose number another program has by now.

        Postgres itself takes any live process of its user for a running server. We hold the lock that
        every Postgres of ours inherits; one started by hand is spared, and Postgres then says so.
        """
        lines = self._pid_lines()
        if lines and lines[0].isdecimal():
            name = Path(f"/proc/{lines[0]}/comm")
            if name.exists() and name.read_text().strip() != "postgres":
                (self._cluster.data / "postmaster.pid").unlink()

    def _reason(self, begin: int) -> str:
        with self._log.open("rb") as log:
            log.seek(begin)
            lines = log.read().decode(errors="replace").splitlines()
        for line in reversed(lines):
            telling = TELLING.search(line)
            if telling:
                return (telling[1] or telling[2]).strip().rstrip(".")
        return lines[-1].strip() if lines else "it said nothing"


def answers(socket_folder: Path) -> bool:
    """Say whether the server takes connections: whether it asks who is there, in its protocol's words.

    That the socket is listened on says little: a Postgres that shuts down listens to its end, and where its
    warden was killed, one thread after the other, that can be before the warden's lock is free.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(5)
        try:
            line.connect(str(socket_folder / f".s.PGSQL.{PORT}"))
            line.sendall(HERE_I_AM)
            return line.recv(1) == ASKS_FOR_PASSWORD
        except OSError:
            return False
