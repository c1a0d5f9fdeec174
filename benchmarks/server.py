"""A Postgres of the benchmark's own, on this machine's disk, on request with slow commits."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import psycopg2

from ledger.migrate import migrate
from ledger.postgres.binaries import Binaries, find_binaries, for_account
from ledger.postgres.os_user import OsUser, account_for, die_with_parent

SLOW_COMMIT = Path(__file__).with_name("slow_commit.c")
# Those of the embedded Postgres, but for checkpoints, which would fall into one run and not into the next.
SETTINGS = (
    "max_connections=100",
    "shared_buffers=256MB",
    "max_wal_size=8GB",
    "checkpoint_timeout=1h",
    "jit=off",
    "wal_compression=on",
    "random_page_cost=1.1",
    "listen_addresses=",
)


class NoCompiler(Exception):
    """Slow commits need a C compiler on this machine: install one (gcc or clang), or skip that part."""


@dataclass(frozen=True, slots=True)
class BenchmarkServer:
    """A running server; the superuser needs no password, for its socket stands in a closed folder."""

    folder: Path
    binaries: Binaries
    account: OsUser

    def dsn(self, database: str, user: str = "postgres") -> str:
        """Return the connection string of a database."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def create_database(self) -> str:
        """Make a migrated database with logins `<name>_app_login`, `<name>_sealer_login`; return its name."""
        name = f"bench_{token_hex(3)}"
        self.execute("postgres", f"create database {name}")
        migrate(self.dsn(name))
        for kind in ("app", "sealer"):
            self.execute(name, f"create role {name}_{kind}_login login in role {name}_{kind}")
        return name

    def execute(self, database: str, statement: str) -> None:
        """Run one statement as superuser."""
        with closing(psycopg2.connect(self.dsn(database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)


@contextmanager
def running_server(commit_delay_ms: int = 0) -> Iterator[BenchmarkServer]:
    """Run a fresh server while the block runs. Raises NoCompiler when commits are to be slow."""
    account = account_for(None)
    folder = Path(tempfile.mkdtemp(prefix="ledger-bench-"))
    account.give(folder)
    binaries = for_account(find_binaries(), account)
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    made = account.run(
        [
            binaries.folder / "initdb",
            "-D",
            folder / "data",
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
        ],
        environment=environment,
    )
    if made.returncode != 0:
        raise RuntimeError(made.stderr)
    if commit_delay_ms:
        environment |= {"LD_PRELOAD": str(_shim(folder)), "COMMIT_DELAY_US": str(commit_delay_ms * 1000)}
    options = [word for setting in SETTINGS for word in ("-c", setting)]
    log = (folder / "log").open("wb")
    program = subprocess.Popen(
        [binaries.folder / "postgres", "-D", folder / "data", "-k", folder, *options],
        stdout=log,
        stderr=log,
        env=environment,
        cwd="/",
        user=None if account.is_ours else account.uid,
        group=None if account.is_ours else account.gid,
        preexec_fn=die_with_parent(os.getpid()),  # noqa: PLW1509 - safe beside threads, see there
    )
    try:
        server = BenchmarkServer(folder, binaries, account)
        _wait_for(server, program)
        yield server
    finally:
        program.terminate()
        try:
            program.wait(10)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()
        log.close()
        shutil.rmtree(folder)


def _wait_for(server: BenchmarkServer, program: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 30
    while True:
        try:
            psycopg2.connect(server.dsn("postgres")).close()
        except psycopg2.OperationalError:
            if program.poll() is not None or time.monotonic() > until:
                raise RuntimeError((server.folder / "log").read_text()) from None
            time.sleep(0.05)
        else:
            return


def _shim(folder: Path) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise NoCompiler(NoCompiler.__doc__)
    library = folder / "slow_commit.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, SLOW_COMMIT, "-ldl"], check=True)
    library.chmod(0o755)
    return library
