"""The data folder: where it lies, how it is made, and which Postgres may open it."""

import os
import secrets
import shlex
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ledger.embedded.account import Account
from ledger.embedded.binaries import Binaries, shared_base
from ledger.embedded.layout import COMMONS, FORMER_COMMONS, Layout
from ledger.embedded.unavailable import PostgresUnavailable

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
    account: Account
    lock: int
    """The open lock file that every process of Postgres inherits: that it is free means that none is left."""

    @property
    def place(self) -> Path:
        """The folder that holds the data."""
        return self.data.parent

    @property
    def exists(self) -> bool:
        """Say whether the data folder was made already; it appears at once and whole."""
        return self.data.is_dir()


def known_data(layout: Layout) -> Path | None:
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


def settle(layout: Layout, account: Account, commons: Path) -> Path:
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


def require_same_major(layout: Layout, cluster: Cluster, binaries: Binaries) -> None:
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
        f"python -m ledger.embedded {home} pg_dumpall --file=ledger.sql && "
        f"mv {folder} {folder}-{kept} && "
        f"python -m ledger.embedded {home} psql --quiet --file=ledger.sql"
    )
    raise PostgresUnavailable(message)
