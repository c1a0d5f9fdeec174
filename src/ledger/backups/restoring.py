"""Restoring: a backup's rows put in the place of the present ones, in one transaction, or nothing at all.

The schema stays as the migrations made it; rows alone are replaced. Data never brings keys back, and a vault
never brings an erased person back.
"""

from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ledger.backups.manifest import Kind, Manifest
from ledger.backups.tools import Program, Tools
from ledger.endings import Refused
from ledger.store.owner import act_as_owner
from ledger.store.pool import Pool

_SCHEMAS: Final[Mapping[Kind, frozenset[str]]] = {
    "data": frozenset({"ledger", "projections", "schedulers"}),
    "vault": frozenset({"vault"}),
}
# What the schema is made of, and what was destroyed, is not undone by a backup.
_NEVER: Final = frozenset({("ledger", "migrations"), ("vault", "destroyed_masters")})
_KINDS_OF_ROWS: Final = ("TABLE DATA", "SEQUENCE SET")

# Newer programs write it, older servers do not know it, and it changes nothing here.
_NOT_FOR_OLD_SERVERS: Final = b"SET transaction_timeout"


def refuse_other_schema(manifest: Manifest, applied: Mapping[str, str]) -> None:
    """Make sure that a backup's rows fit the present schema. Raises Refused with what to do."""
    missing = sorted(set(applied) - set(manifest.migrations))
    unknown = sorted(set(manifest.migrations) - set(applied))
    if unknown:
        message = (
            f"The backup was made by a newer program ({manifest.program}, with the migration {unknown[0]}): "
            "upgrade this one first."
        )
        raise Refused(message)
    if missing:
        message = (
            f"The backup was made by coverledger {manifest.program}, before the migration {missing[0]}: "
            "restore it with that version into an empty database, upgrade there (coverledger migrate), and "
            "make a new backup."
        )
        raise Refused(message)
    changed = sorted(name for name, sha256 in applied.items() if manifest.migrations[name] != sha256)
    if changed:
        message = (
            f"The backup's migration {changed[0]} is not this program's: it is another program's backup."
        )
        raise Refused(message)


def load(pool: Pool, tools: Tools, kind: Kind, backup: Path) -> None:
    """Put a backup's rows in the place of the present ones.

    `pool` and `tools` connect as the role that migrates.
    Raises Refused with what went wrong; then everything is as it was.
    """
    with pool.transaction() as connection:
        owner = act_as_owner(connection)
    listed = tools.run("pg_restore", "--list", backup)
    with TemporaryDirectory(prefix="coverledger-restore.") as folder:
        wanted = Path(folder) / "wanted"
        wanted.write_text("\n".join(_rows_of(kind, listed.splitlines())) + "\n", encoding="utf-8")
        tools.pipe(
            Program("pg_restore", ("--data-only", "--no-owner", f"--use-list={wanted}", "--file=-", backup)),
            Program("psql", ("--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--file=-")),
            (
                f"begin;\nset local role {owner};\n{_script(f'before_{kind}')}",
                f"{_script(f'after_{kind}')}commit;\n",
            ),
            drop=_NOT_FOR_OLD_SERVERS,
        )


def _rows_of(kind: Kind, listed: Iterable[str]) -> Iterable[str]:
    """Choose from the list of what a backup holds: `4012; 0 16500 TABLE DATA ledger books owner`."""
    for line in listed:
        words = line.partition("; ")[2].split(" ")
        if line.startswith(";") or " ".join(words[2:4]) not in _KINDS_OF_ROWS:
            continue
        schema, table = words[4], words[5]
        if schema in _SCHEMAS[kind] and (schema, table) not in _NEVER:
            yield line


def _script(name: str) -> str:
    return (files("ledger.backups") / f"{name}.sql").read_text(encoding="utf-8")
