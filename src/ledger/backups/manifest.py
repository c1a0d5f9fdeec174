"""The manifest beside a backup: what it holds, how to tell that it is whole, what it can be restored into."""

import json
from dataclasses import asdict, dataclass
from hashlib import file_digest
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from ledger.endings import UsedWrongly
from ledger.store.backup_snapshot import BookFound, Snapshot

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
    """Say where a backup's manifest lies."""
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
    """Read a backup's manifest and make sure that the backup is whole. Raises UsedWrongly."""
    path = manifest_path(backup)
    if not backup.is_file():
        message = f"There is no backup {backup}."
        raise UsedWrongly(message)
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            message = f"{path} is of the format {told['format']!r}: restore it with the program that made it."
            raise UsedWrongly(message)
        books = [BookFound(**book) for book in told["books"]]
        manifest = Manifest(**{**told, "books": books})
    except OSError as error:
        message = (
            f"The manifest {path} cannot be read ({error.strerror}): put it back beside the backup; without "
            "it restore by hand with pg_restore, and then run coverledger restore --accept."
        )
        raise UsedWrongly(message) from error
    except (ValueError, KeyError, TypeError) as error:
        message = f"{path} is no manifest of a backup: take it from where the backup was made."
        raise UsedWrongly(message) from error
    if manifest.kind != kind:
        which = "restore it with --vault" if manifest.kind == "vault" else "give it without --vault"
        message = f"{backup} is a backup of the {manifest.kind}: {which}."
        raise UsedWrongly(message)
    if _sha256(backup) != manifest.sha256:
        message = (
            f"{backup} is not the file that its manifest describes: it was cut or changed; take another copy."
        )
        raise UsedWrongly(message)
    return manifest


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()
