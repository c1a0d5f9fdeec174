"""Files that appear whole or not at all, and are on disk before anybody relies on them."""

import os
from pathlib import Path
from threading import get_ident


def create_whole(path: Path, text: str, mode: int) -> None:
    """Create a file of this mode, whatever the umask; a reader, or a crash, finds all of it or no file.

    Raises FileExistsError: nothing is overwritten.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}.new")
    beside.unlink(missing_ok=True)  # of a program of this number that was killed
    try:
        write_out(beside, text, mode)
        os.link(beside, path)  # Unlike a rename, this lets the first of two programs win.
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_out(path: Path, text: str, mode: int) -> None:
    """Write a new file of this mode, whatever the umask; its content is on disk, its name need not be yet.

    For a name that nobody reads: a crash may leave a part of it. Raises FileExistsError.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        os.fchmod(descriptor, mode)
        opened.write(text)
        opened.flush()
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Have what was created, renamed or removed in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
