"""The home of a ledger: the folder of its embedded Postgres, its keys and its letters."""

import os
from pathlib import Path


def make_home_folder(folder: Path) -> None:
    """Make a folder of the home that only we may look into; one that is there already stays as it is.

    Of root's, others may pass through it, since root hands Postgres to another user. Raises OSError.
    """
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)


def make_private_folder(folder: Path) -> None:
    """Make a folder that nobody else may enter; one that is there already stays as it is. Raises OSError."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
