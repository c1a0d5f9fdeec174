"""Files that only their owner may read, replaced whole or not at all."""

import os
import stat
from pathlib import Path

from ledger.atomic_files import create_whole, sync_folder, write_out
from ledger.feed.proofs.refused import KeyFileRefused

PRIVATE_MODE = 0o600


def read_private(path: Path) -> str:
    """Read a file of mode 0600. Raises KeyFileRefused if it is missing or open to others."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        message = f"{path} is missing: restore it from its copy, or create it with `coverledger init`"
        raise KeyFileRefused(message) from error
    with os.fdopen(descriptor, encoding="utf-8") as opened:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode != PRIVATE_MODE:
            message = f"{path} has mode {mode:04o}: make it private with `chmod 600 {path}`"
            raise KeyFileRefused(message)
        try:
            return opened.read()
        except UnicodeDecodeError as error:
            message = f"{path} is not text: restore it from its copy"
            raise KeyFileRefused(message) from error


def create_private(path: Path, text: str) -> None:
    """Create a file of mode 0600: a reader, or a crash, finds all of it or none. Raises FileExistsError."""
    create_whole(path, text, PRIVATE_MODE)


def replace_private(path: Path, text: str) -> None:
    """Replace a file by one of mode 0600: a reader, or a crash, finds the old or the new one, whole."""
    written = path.with_name(f".{path.name}.{os.getpid()}.new")
    written.unlink(missing_ok=True)
    write_out(written, text, PRIVATE_MODE)
    written.replace(path)
    sync_folder(path.parent)
