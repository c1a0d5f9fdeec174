"""The home of a ledger of whose home nothing was said, which bore another name once.

A home of before is never passed over for a new one: it is refused until `coverledger migrate` has moved it.
"""

import os
from pathlib import Path
from typing import Final, NamedTuple

from ledger.environment import PREFIX, variable
from ledger.errors import Rejected, UsageError
from ledger.postgres import EmbeddedPostgres

ROOT_DATA = Path("/var/lib")
NAME: Final = "coverledger"
FORMER_NAME: Final = "claims-ledger"
CONTENTS: Final = ("settings.toml", "secrets", "postgres", "letters", "mail")
"""What makes a folder a home; root keeps copies of Postgres in a folder of the same name."""


class MovedHome(NamedTuple):
    """A home that was moved."""

    former: Path
    home: Path


def default_home() -> Path:
    """Return the home of a ledger of whose home nothing was said: root's of the machine, else the user's own.

    Raises UsageError for a user who has no home folder, and where the ledger still lies in a home of before.
    """
    data = _data()
    home, former = data / NAME, data / FORMER_NAME
    if not _stays_behind(former, home):
        return home
    if _holds_something(home):
        raise _both(former, home)
    message = (
        f"The ledger lies in {former}, and its home is {home} by now: `coverledger migrate` moves it there; "
        f"or set {PREFIX}HOME={former}."
    )
    raise UsageError(message)


def move_home() -> MovedHome | None:
    """Move the ledger from its default home of before to that of today; None: there is nothing to move.

    A link stays behind, for whatever still goes by the old name, such as the copies of a backup. Whenever it
    is interrupted, the ledger lies whole in one of both.

    Raises:
        UsageError: there is a ledger in both.
        Rejected: the folder cannot be renamed.
        PostgresUnavailable: a program uses it.

    """
    if variable("home"):
        return None
    data = _data()
    home, former = data / NAME, data / FORMER_NAME
    if not _stays_behind(former, home):
        return None
    if _holds_something(home):
        raise _both(former, home)
    with EmbeddedPostgres(former).kept_idle():
        _rename(former, home)
    return MovedHome(former, home)


def _rename(former: Path, home: Path) -> None:
    try:
        if home.is_dir():  # an empty one, which another name could not take the place of if that is a link
            home.rmdir()
        former.rename(home)
    except OSError as error:
        message = (
            f"The ledger's home {former} cannot be renamed to {home} ({error.strerror}): move it there, or "
            f"mount there what is mounted at {former}; or set {PREFIX}HOME={former}."
        )
        raise Rejected(message) from error
    try:
        former.symlink_to(home.name)
    except OSError as error:
        message = (
            f"The ledger was moved to {home}, but no link to it could be left at {former} "
            f"({error.strerror}): make one if anything needs it; then run it again."
        )
        raise Rejected(message) from error


def _stays_behind(former: Path, home: Path) -> bool:
    """Whether a ledger lies in the home of before, and that is not the one of today under another name."""
    try:
        if not any((former / name).exists() for name in CONTENTS):
            return False
        return not (home.exists() and former.samefile(home))
    except OSError as error:
        message = (
            f"Whether a ledger lies in {former} cannot be seen ({error.strerror}): run as the user whom it "
            f"belongs to, or set {PREFIX}HOME to a folder of your own."
        )
        raise UsageError(message) from error


def _holds_something(home: Path) -> bool:
    return home.exists() and (not home.is_dir() or any(home.iterdir()))


def _both(former: Path, home: Path) -> UsageError:
    message = (
        f"A ledger lies in {former}, and {home}, which is its home by now, is not empty: move one of them "
        f"away, or set {PREFIX}HOME to the one that counts."
    )
    return UsageError(message)


def _data() -> Path:
    """Return the folder that programs keep their data in. Raises UsageError."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return ROOT_DATA
    base = os.environ.get("XDG_DATA_HOME", "")
    if base and Path(base).is_absolute():
        return Path(base)
    try:
        return Path.home() / ".local" / "share"
    except RuntimeError as error:
        message = f"You have no home folder: set {PREFIX}HOME to a folder of your own."
        raise UsageError(message) from error
