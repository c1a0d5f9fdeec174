"""Dumps: one snapshot of the data, or of the vault, in a file with a manifest beside it."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import file_digest
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Literal, NamedTuple, cast

from ledger.errors import Rejected, Unavailable, UsageError
from ledger.postgres.binaries import find_binaries
from ledger.postgres.data_dir import PostgresUnavailable
from ledger.store.backup_snapshot import BookFound, Snapshot, exported_snapshot
from ledger.store.pool import Pool, libpq_environment

NEEDED = ("pg_dump", "pg_restore", "psql")
_OURS = ("PG", "COVERLEDGER_")


class Program(NamedTuple):
    """One program and the words of its command line."""

    name: str
    words: Sequence[str | Path]


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs of one folder, and the database that they work on."""

    folder: Path
    dsn: str

    @classmethod
    def find(cls, wanted: Path | None, dsn: str) -> "Tools":
        """Take the programs of the folder wanted, else those installed with the ledger, else the machine's.

        Raises Unavailable when they are nowhere.
        """
        try:
            folder = find_binaries(wanted).folder
        except PostgresUnavailable as error:
            raise Unavailable(str(error)) from error
        if not all((folder / name).is_file() for name in NEEDED):
            on_path = shutil.which("pg_restore")
            if on_path is None:
                message = (
                    f"{', '.join(NEEDED)} are not in {folder}: install Postgres' client programs, or set "
                    "COVERLEDGER_POSTGRES_BIN to the folder that holds them."
                )
                raise Unavailable(message)
            folder = Path(on_path).parent
        return cls(folder, dsn)

    def run(self, name: str, *words: str | Path, typed: Path | None = None) -> str:
        """Run one program to its end and give what it printed; `typed`: the file on its standard input.

        Raises Rejected with what the program had to say.
        """
        with (typed or Path(os.devnull)).open("rb") as given:
            ended = subprocess.run(
                [str(self.folder / name), *map(str, words)],
                check=False,
                stdin=given,
                capture_output=True,
                env=self._environment(),
                text=True,
                errors="replace",
            )
        if ended.returncode != 0:
            raise _failed(name, ended.stderr)
        return ended.stdout

    def pipe(self, giver: Program, taker: Program, wrapped: tuple[str, str], drop: bytes) -> None:
        """Pipe one program's output into another, with a text before it and one after it.

        The text after it is given only once all was written: a transaction that it ends is else undone.
        Lines that begin with `drop` are left out, up to the first table.
        Raises Rejected with what either had to say.
        """
        before, after = wrapped
        with (
            TemporaryFile() as giver_said,
            TemporaryFile() as taker_said,
            self._started(
                giver, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=giver_said
            ) as giving,
            self._started(
                taker, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=taker_said
            ) as taking,
        ):
            given, taken = cast("IO[bytes]", giving.stdout), cast("IO[bytes]", taking.stdin)
            try:
                taken.write(before.encode())
                _copy(given, taken, drop)
                if giving.wait() != 0:
                    taking.kill()
                    raise _failed(giver.name, _read(giver_said))
                taken.write(after.encode())
                taken.close()
            except BrokenPipeError:
                giving.kill()  # The taker gave up: what it had to say comes below.
                with suppress(BrokenPipeError):
                    taken.close()
            if taking.wait() != 0:
                raise _failed(taker.name, _read(taker_said))

    def _started(
        self, program: Program, *, stdin: int, stdout: int, stderr: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        command = [str(self.folder / program.name), *map(str, program.words)]
        return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr, env=self._environment())

    def _environment(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        return {**kept, **libpq_environment(self.dsn), "LC_ALL": "C", "PGAPPNAME": "coverledger backup"}


def _copy(given: IO[bytes], taken: IO[bytes], drop: bytes) -> None:
    for line in given:
        if not line.startswith(drop):
            taken.write(line)
        if line.startswith(b"COPY "):
            break
    shutil.copyfileobj(given, taken)


def _read(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read().decode(errors="replace")


def _failed(name: str, said: str) -> Rejected:
    return Rejected(f"{name} failed: {_last_words(said.splitlines())}")


def _last_words(lines: Sequence[str]) -> str:
    said = [line.strip() for line in lines if "error" in line.lower() or "fatal" in line.lower()]
    return (said or [line.strip() for line in lines if line.strip()] or ["it said nothing"])[0]


FORMAT = "claims-ledger/backup@v1"
Kind = Literal["data", "vault"]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What stands in `FILE.json` beside a backup `FILE`."""

    kind: Kind
    taken_at: str
    program: str
    """Version of the claims ledger."""
    server: str
    sha256: str
    """Of the backup itself, in hexadecimal."""
    migrations: dict[str, str]
    """Name → SHA-256 of each migration that made the schema."""
    books: list[BookFound]
    master_ids: list[str]
    """Of a vault's backup: the master keys without which it cannot be read."""
    format: str = FORMAT


def manifest_path(backup: Path) -> Path:
    """Return where a backup's manifest lies."""
    return backup.with_name(f"{backup.name}.json")


def manifest_of(kind: Kind, snapshot: Snapshot, backup: Path) -> Manifest:
    """Describe a backup that was just made from a snapshot."""
    return Manifest(
        kind,
        snapshot.taken_at,
        version("coverledger"),
        snapshot.server_version,
        _sha256(backup),
        snapshot.migrations,
        snapshot.books if kind == "data" else [],
        snapshot.master_ids if kind == "vault" else [],
    )


def write_manifest(backup: Path, manifest: Manifest) -> None:
    """Write a backup's manifest beside it."""
    told = asdict(manifest) | {"books": [book._asdict() for book in manifest.books]}
    manifest_path(backup).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def read_manifest(backup: Path, kind: Kind) -> Manifest:
    """Read a backup's manifest and make sure that the backup is whole. Raises UsageError."""
    path = manifest_path(backup)
    if not backup.is_file():
        message = f"There is no backup {backup}."
        raise UsageError(message)
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            message = f"{path} is of the format {told['format']!r}: restore it with the program that made it."
            raise UsageError(message)
        books = [BookFound(**book) for book in told["books"]]
        manifest = Manifest(**{**told, "books": books})
    except OSError as error:
        message = (
            f"The manifest {path} cannot be read ({error.strerror}): put it back beside the backup; without "
            "it restore by hand with pg_restore, and then run coverledger restore --accept."
        )
        raise UsageError(message) from error
    except (ValueError, KeyError, TypeError) as error:
        message = f"{path} is no manifest of a backup: take it from where the backup was made."
        raise UsageError(message) from error
    if manifest.kind != kind:
        which = "restore it with --vault" if manifest.kind == "vault" else "give it without --vault"
        message = f"{backup} is a backup of the {manifest.kind}: {which}."
        raise UsageError(message)
    if _sha256(backup) != manifest.sha256:
        message = (
            f"{backup} is not the file that its manifest describes: it was cut or changed; take another copy."
        )
        raise UsageError(message)
    return manifest


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


_PRIVATE = 0o600

# The vault's tables go with the data, empty: so the data alone restores into a schema that is whole.
_PARTS: dict[Kind, tuple[str, ...]] = {
    "data": (
        *("--schema=ledger", "--schema=projections", "--schema=schedulers", "--schema=vault"),
        "--exclude-table-data=vault.*",
    ),
    "vault": ("--schema=vault",),
}


def refuse_existing(backup: Path) -> None:
    """Ensure that a backup overwrites nothing. Raises UsageError."""
    for path in (backup, manifest_path(backup)):
        if path.exists():
            message = f"{path} is there already, and a backup overwrites nothing: give another name."
            raise UsageError(message)
    if not backup.parent.is_dir():
        message = f"There is no folder {backup.parent}: make it first."
        raise UsageError(message)


def dump(pool: Pool, tools: Tools, kind: Kind, backup: Path) -> Manifest:
    """Dump one snapshot of the data or of the vault, with its manifest beside it.

    `pool` and `tools` connect as the role that migrates, to the server itself: a pooler shares no snapshots.
    Raises UsageError, Rejected, Unavailable.
    """
    refuse_existing(backup)
    unfinished = backup.with_name(f".{backup.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE))
    try:
        with exported_snapshot(pool) as snapshot:
            tools.run(
                "pg_dump",
                *(
                    "--format=custom",
                    "--no-password",
                    f"--snapshot={snapshot.name}",
                    f"--role={snapshot.owner}",
                ),
                *(f"--file={unfinished}", *_PARTS[kind]),
            )
            manifest = manifest_of(kind, snapshot, unfinished)
        unfinished.rename(backup)
    finally:
        unfinished.unlink(missing_ok=True)
    write_manifest(backup, manifest)
    return manifest
