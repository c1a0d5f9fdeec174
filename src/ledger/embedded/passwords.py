"""Random passwords of the embedded Postgres' roles, one file each that only its owner may read."""

import contextlib
import os
import re
import secrets
from pathlib import Path

from ledger.embedded.unavailable import PostgresUnavailable

ROLE = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def password_of(folder: Path, role: str) -> str:
    """Return the role's password, which is drawn (192 bits) when it is asked for the first time.

    Raises PostgresUnavailable when others may read the file, ValueError on a name that is no role's.
    """
    if ROLE.fullmatch(role) is None:
        message = f"{role!r} is no name of a role: lower-case letters, digits, _ and - only"
        raise ValueError(message)
    path = folder / role
    if not path.exists():
        _draw(path)
    if path.stat().st_mode & 0o077:
        message = f"Others may read the password in {path}: chmod 600 {path}"
        raise PostgresUnavailable(message)
    return path.read_text().strip()


def _draw(path: Path) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(24) + "\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):  # unlike a rename, this lets the first of two programs win
        path.hardlink_to(fresh)
    fresh.unlink()
