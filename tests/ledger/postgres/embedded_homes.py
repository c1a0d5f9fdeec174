"""Homes of embedded ledgers, what runs in them, and programs that use them."""

import fcntl
import json
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import psycopg2
import pytest

SOURCE = Path(__file__).resolve().parents[3] / "src"
SITE = Path(psycopg2.__file__).parents[1]
AS_ROOT = os.geteuid() == 0
PATIENCE_SECONDS = 20


def processes_of(home: Path) -> list[str]:
    """Command lines of the warden and the postmaster of a home."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and int(process.name) != os.getpid():
            try:
                line = (process / "cmdline").read_bytes()
            except OSError:  # it has ended meanwhile
                continue
            said = line.replace(b"\0", b" ").decode(errors="replace")
            if str(home) in said and "program_using_postgres.py" not in said:
                found.append(said)
    return found


def eventually(holds: Callable[[], bool], within_seconds: float = PATIENCE_SECONDS) -> bool:
    deadline = time.monotonic() + within_seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_deserted(home: Path) -> bool:
    """No process is left, backends included: they all hold the lock."""
    with (home / "postgres" / "postgres.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return processes_of(home) == []


def warden_of(home: Path) -> int:
    return int(json.loads((home / "postgres" / "server.json").read_text())["warden_pid"])


def data_of(home: Path) -> Path:
    pointer = home / "postgres" / "data-folder"
    return Path(pointer.read_text().strip()) if pointer.exists() else home / "postgres" / "data"


def postmaster_of(home: Path) -> int:
    return int((data_of(home) / "postmaster.pid").read_text().split()[0])


def ask(dsn: str, question: str) -> str:
    """First column of the first row, as text."""
    connection = psycopg2.connect(dsn)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(question)
            row = cursor.fetchone() if cursor.description else None
            return str(row[0]) if row else ""
    finally:
        connection.close()


def answers(dsn: str) -> bool:
    try:
        return ask(dsn, "SELECT 1") == "1"
    except psycopg2.OperationalError:
        return False


@cache
def unprivileged() -> tuple[int, int, str]:
    """Ids of an ordinary user and an interpreter that this user can run: ourselves, or somebody for root."""
    if not AS_ROOT:
        return os.geteuid(), os.getegid(), sys.executable
    entry = pwd.getpwnam("nobody")
    for interpreter in (sys.executable, "/usr/bin/python3"):
        tried = (
            subprocess.run(
                [
                    interpreter,
                    "-c",
                    "import sys, ledger.postgres.client; sys.exit(sys.version_info < (3, 11))",
                ],
                check=False,
                capture_output=True,
                cwd="/",
                env={"PYTHONPATH": str(SOURCE)},
                user=entry.pw_uid,
                group=entry.pw_gid,
                extra_groups=[],
            )
            if Path(interpreter).exists() and _can_run(interpreter, entry)
            else None
        )
        if tried is not None and tried.returncode == 0:
            return entry.pw_uid, entry.pw_gid, interpreter
    pytest.skip("no Python 3.11 here, or no checkout, that the user nobody may read")


def _can_run(interpreter: str, entry: pwd.struct_passwd) -> bool:
    asked = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1"', "sh", interpreter],
        check=False,
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=[],
    )
    return asked.returncode == 0


class Program:
    """Another program that uses a home; as an ordinary user where that is asked for."""

    def __init__(self, home: Path, *, ordinary: bool = False, binaries: Path | None = None) -> None:
        uid, gid, interpreter = unprivileged() if ordinary else (os.geteuid(), os.getegid(), sys.executable)
        other = uid != os.geteuid()
        self._process = subprocess.Popen(
            [
                interpreter,
                Path(__file__).with_name("program_using_postgres.py"),
                home,
                *([binaries] if binaries else []),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PYTHONPATH": f"{SOURCE}:{SITE}", "PATH": "/usr/bin:/bin"},
            start_new_session=True,  # a terminal's foreground group of its own
            user=uid if other else None,
            group=gid if other else None,
            extra_groups=[] if other else None,
        )

    def dsn(self) -> str:
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        assert said, self.end()
        return said

    def press_ctrl_c(self) -> int:
        """Interrupt the whole foreground group, as a terminal does; return the exit status."""
        os.killpg(self._process.pid, signal.SIGINT)
        self.end()
        return self._process.returncode

    def kill(self) -> None:
        self._process.kill()
        self.end()

    def end(self) -> str:
        """Let it end by itself, wait for it, and return its standard error."""
        return self._process.communicate(timeout=60)[1]

    @property
    def exit_status(self) -> int | None:
        return self._process.poll()
