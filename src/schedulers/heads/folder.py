"""A folder outside: a mounted share, another person's disk. What is written there is never overwritten."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.proofs.errors import BadNote
from ledger.proofs.notes import split_note
from schedulers.heads.place import DaysHead, NotSent

_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9._%-]+")


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder."""

    path: Path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def take(self, given: DaysHead) -> str:
        """Write `ORIGIN-DATE.checkpoint`; a further head of the same day gets its size into its name."""
        slug = _NOT_IN_A_NAME.sub("_", given.head.origin)
        for name in (f"{slug}-{given.day}.checkpoint", f"{slug}-{given.day}-{given.head.size}.checkpoint"):
            path = self.path / name
            try:
                if _is_written(path, given.note):
                    return f"written to {path}"
            except OSError as error:
                message = f"{path} cannot be written ({error.strerror})"
                raise NotSent(message) from error
        message = f"{path} holds another head of the same day and size: find out who wrote it"
        raise NotSent(message)


def _is_written(path: Path, note: str) -> bool:
    """Write a new file, on disk before this returns; False where another one stands there."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        found = path.read_bytes()[: len(note.encode()) + 1]
        if found == note.encode() or not _is_part(found, note):
            return found == note.encode()
        # Ours: whoever wrote it was killed, or a witness has cosigned it since. A share may know no hard
        # links: it is renamed into place.
        beside = path.with_name(f".{path.name}.{os.getpid()}.new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        _write(descriptor, note)
        beside.replace(path)
        return True
    _write(descriptor, note)
    return True


def _is_part(found: bytes, note: str) -> bool:
    """Whether a file holds the beginning of a head, or that head with fewer signatures."""
    if note.encode().startswith(found):
        return True
    try:
        (text, signatures), (whole, all_signatures) = split_note(found.decode()), split_note(note)
    except (BadNote, UnicodeDecodeError):
        return False
    return text == whole and set(signatures) <= set(all_signatures)


def _write(descriptor: int, note: str) -> None:
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(note)
        file.flush()
        os.fsync(descriptor)
