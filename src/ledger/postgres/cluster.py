"""The data folder, which Postgres may open it, and one run of Postgres on it that keeps what it commits."""

import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ledger.postgres.binaries import Binaries, shared_base
from ledger.postgres.data_dir import SILENCE, PostgresUnavailable
from ledger.postgres.os_user import OsUser, die_with_parent
from ledger.postgres.paths import COMMONS, FORMER_COMMONS, HomePaths

SUPERUSER = "postgres"

SETTINGS = """
# Claims ledger: a small server beside its programs. Add your own settings below; the last one counts.
max_connections = 100
shared_buffers = 128MB
wal_compression = on
max_wal_size = 1GB
min_wal_size = 80MB
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
random_page_cost = 1.1
jit = off
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
log_checkpoints = off
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A data folder and the user whom it belongs to."""

    data: Path
    account: OsUser
    lock: int
    """The open lock file that every process of Postgres inherits: that it is free means that none is left."""

    @property
    def place(self) -> Path:
        """The folder that holds the data."""
        return self.data.parent

    @property
    def exists(self) -> bool:
        """Whether the data folder was made already; it appears at once and whole."""
        return self.data.is_dir()


def known_data(layout: HomePaths) -> Path | None:
    """Return where this home's data lies, or None when that was not settled yet."""
    if layout.pointer.exists():
        return moved_along(Path(layout.pointer.read_text().strip()), FORMER_COMMONS, COMMONS)
    inside = layout.folder / "data"
    return inside if inside.exists() else None


def moved_along(data: Path, former: Path, commons: Path) -> Path:
    """Return where data lies that was settled in a folder which has another name by now."""
    if data.parent.exists() or not data.is_relative_to(former):
        return data
    moved = commons / data.relative_to(former)
    return moved if moved.parent.exists() else data


def settle(layout: HomePaths, account: OsUser, commons: Path) -> Path:
    """Return where this home's data lies; settle it first where it was not: at home if the user gets there.

    Else the data goes into a folder of that user outside, with a random name, and a file at home names it.
    """
    known = known_data(layout)
    if known is not None:
        return known
    if account.reaches(layout.folder):
        return layout.folder / "data"
    place = shared_base(account, commons) / secrets.token_hex(8)
    place.mkdir(mode=0o700)
    account.give(place)
    fresh = layout.pointer.with_suffix(".new")
    fresh.write_text(f"{place / 'data'}\n")
    fresh.replace(layout.pointer)
    return place / "data"


def environment() -> Mapping[str, str]:
    """Return our environment without what would sway Postgres and without what is none of its business."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "LC_", "COVERLEDGER_", "PYTHON")) and name not in {"LANG", "HOME"}
    }
    return kept | {"LC_ALL": "C"}


def make(cluster: Cluster, binaries: Binaries, superuser_password: str) -> None:
    """Make the data folder: passwords by SCRAM, UTF-8, sorted by code point, pages with checksums.

    It is made under another name, so that a folder named ``data`` is always whole.
    Raises PostgresUnavailable with what initdb had to say.
    """
    fresh = cluster.place / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    cluster.account.give(fresh)
    said = ""
    for locale in ("C.UTF-8", "C"):
        said = _initdb(cluster, binaries, fresh, locale, superuser_password)
        if not said:
            break
    if said:
        shutil.rmtree(fresh, ignore_errors=True)
        message = f"Postgres could not make its data folder in {cluster.place}: {said}"
        raise PostgresUnavailable(message)
    added = cluster.account.run(
        ["/bin/sh", "-c", f"cat >> {shlex.quote(str(fresh / 'postgresql.conf'))}"],
        environment=environment(),
        typed=SETTINGS,
    )
    if added.returncode != 0:
        message = f"Postgres' settings in {fresh} could not be written: {added.stderr.strip()}"
        raise PostgresUnavailable(message)
    fresh.rename(cluster.data)


def _initdb(cluster: Cluster, binaries: Binaries, fresh: Path, locale: str, password: str) -> str:
    """Return what went wrong, in one line; nothing when it worked."""
    descriptor, name = tempfile.mkstemp(prefix="password.", dir=cluster.place)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(password)
        cluster.account.give(Path(name))
        made = cluster.account.run(
            [
                binaries.folder / "initdb",
                f"--pgdata={fresh}",
                f"--username={SUPERUSER}",
                f"--pwfile={name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                f"--locale={locale}",
                "--lc-messages=C",
                "--data-checksums",
            ],
            environment=environment(),
            lock=cluster.lock,
        )
    finally:
        Path(name).unlink()
    if made.returncode == 0:
        return ""
    lines = [line for line in made.stderr.splitlines() if "error:" in line or "FATAL" in line]
    return (lines or made.stderr.strip().splitlines() or ["initdb failed"])[-1].strip()


def require_same_major(layout: HomePaths, cluster: Cluster, binaries: Binaries) -> None:
    """Raise PostgresUnavailable, with the line to type, when the data is another major version's."""
    kept = (cluster.data / "PG_VERSION").read_text().strip()
    if kept == str(binaries.major):
        return
    home = shlex.quote(str(layout.home))
    folder = shlex.quote(str(layout.folder))
    message = (
        f"The data in {cluster.data} is Postgres {kept}'s and this is Postgres {binaries.version}. "
        f"With Postgres {kept} installed, dump and restore: "
        f"COVERLEDGER_POSTGRES_BIN=/usr/lib/postgresql/{kept}/bin "
        f"python -m ledger.postgres {home} pg_dumpall --file=ledger.sql && "
        f"mv {folder} {folder}-{kept} && "
        f"python -m ledger.postgres {home} psql --quiet --file=ledger.sql"
    )
    raise PostgresUnavailable(message)


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
        match self._pid_lines():
            case [pid, _, _, _, _, _, _, state, *_]:
                return pid == str(self.pid) and state.strip() == "ready"
            case _:
                return False

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
    """Return whether the server takes connections: whether it asks who is there, in its protocol's words.

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


# What a role or a database was given for itself, and the server's own settings.
# synchronous_commit = local, remote_write and remote_apply all wait for this server's disk.
QUERY = """
SELECT given || coalesce(' for role ' || r.rolname, '') || coalesce(' in database ' || d.datname, '')
  FROM pg_catalog.pg_db_role_setting s
  CROSS JOIN LATERAL unnest(s.setconfig) AS given
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
  LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
 WHERE given ~* '^synchronous_commit=(of|f|n|0)'
UNION ALL
SELECT name || ' = ' || setting FROM pg_catalog.pg_settings
 WHERE (name IN ('fsync', 'full_page_writes') AND setting <> 'on')
    OR (name = 'synchronous_commit' AND setting = 'off')
"""


def require_durable(binaries: Binaries, socket_folder: Path, password: str, data: Path) -> None:
    """Raise PostgresUnavailable, naming the setting, when a commit could be lost by a crash."""
    asked = subprocess.run(
        [binaries.folder / "psql", "-X", "-A", "-t", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-c", QUERY],
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        cwd="/",
        env=tool_environment(socket_folder, password),
    )
    if asked.returncode != 0:
        said = " ".join(asked.stderr.split()) or "psql failed"
        message = f"The settings of Postgres could not be read: {said}"
        raise PostgresUnavailable(message)
    loose = asked.stdout.split("\n")[0].strip()
    if loose:
        message = (
            f"Postgres would forget what it has acknowledged ({loose}): the ledger refuses to run on it. "
            f"Take that setting back (see postgresql.conf and postgresql.auto.conf in {data}, "
            "ALTER ROLE and ALTER DATABASE) and start again."
        )
        raise PostgresUnavailable(message)


def tool_environment(socket_folder: Path, password: str) -> dict[str, str]:
    """Return our environment with what makes Postgres' own tools find the server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {
        "PGHOST": str(socket_folder),
        "PGPORT": str(PORT),
        "PGUSER": SUPERUSER,
        "PGPASSWORD": password,
        "PGDATABASE": "postgres",
        "PGCONNECT_TIMEOUT": "10",
    }
