"""What was said of copies of the keys: where each lies and since when, in a file beside the master key."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ledger.store.errors import KeyFileRefused

_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that somebody has made."""

    at: datetime
    where: str
    keys: frozenset[str]
    """Ids of the keys that were in force then: those that are in the copy."""


def copies_path(master_key: Path) -> Path:
    """Return the path of what is on record of copies."""
    return master_key.with_suffix(".copies")


def read_copies(master_key: Path) -> list[Copy]:
    """Read what was said of copies, the oldest first. Raises KeyFileRefused."""
    path = copies_path(master_key)
    if not path.exists():
        return []
    try:
        told = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [
            Copy(datetime.fromisoformat(copy["at"]), str(copy["where"]), frozenset(copy["keys"]))
            for copy in told
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = (
            f"{path} cannot be read: move it away, and say again where copies are: coverledger keys kept"
        )
        raise KeyFileRefused(message) from error


def note_copy(master_key: Path, copy: Copy) -> None:
    """Keep that a copy was made."""
    path = copies_path(master_key)
    path.touch(_PRIVATE)
    line = json.dumps({"at": copy.at.isoformat(), "where": copy.where, "keys": sorted(copy.keys)})
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def without_copy(copies: Iterable[Copy], keys: Iterable[str]) -> list[str]:
    """Return the keys of which no copy is on record."""
    copied = {key for copy in copies for key in copy.keys}
    return sorted(set(keys) - copied)
