"""Dumping: one snapshot of the data, or of the vault, into a file that only its owner may read."""

import os
from pathlib import Path

from ledger.backups.manifest import Kind, Manifest, manifest_of, manifest_path, write_manifest
from ledger.backups.tools import Tools
from ledger.endings import UsedWrongly
from ledger.store.backup_snapshot import exported_snapshot
from ledger.store.pool import Pool

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
    """Make sure that a backup overwrites nothing. Raises UsedWrongly."""
    for path in (backup, manifest_path(backup)):
        if path.exists():
            message = f"{path} is there already, and a backup overwrites nothing: give another name."
            raise UsedWrongly(message)
    if not backup.parent.is_dir():
        message = f"There is no folder {backup.parent}: make it first."
        raise UsedWrongly(message)


def dump(pool: Pool, tools: Tools, kind: Kind, backup: Path) -> Manifest:
    """Dump one snapshot of the data or of the vault, with its manifest beside it.

    `pool` and `tools` connect as the role that migrates, to the server itself: a pooler shares no snapshots.
    Raises UsedWrongly, Refused, Unreachable.
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
