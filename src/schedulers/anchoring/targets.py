"""Places outside that take each day's signed head: a folder, a mail address."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Protocol, Self

from ledger.attempts import ItemFailed
from ledger.mail import new_mail
from ledger.proofs.checkpoints import Checkpoint
from ledger.proofs.errors import BadNote
from ledger.proofs.notes import Cosignature, split_note
from schedulers.mail import MailServer, NotMailed


class AnchorFailed(ItemFailed):
    """A place did not take the head; the message says why, without any password."""


@dataclass(frozen=True, slots=True)
class DaysHead:
    """The head of one day."""

    day: date
    """The Brussels day on which it is sent."""
    head: Checkpoint
    note: str
    """The signed head as it was written."""
    proof_from: Callable[[int], list[bytes]]
    """Gives the proof that the head extends the log's first so many events."""
    sent_size: int
    """Size of the newest head of this log that the place took before; 0 for none."""
    keep_cosignatures: Callable[[Sequence[Cosignature]], None]
    """Keeps what witnesses have cosigned, so that it is served with the head."""


class AnchorTarget(Protocol):
    """Somewhere outside."""

    @property
    def name(self) -> str:
        """What it is called in the table of what was sent."""

    def take(self, given: DaysHead) -> str:
        """Take the head; return what it answered, in a line. Raises AnchorFailed."""


_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9._%-]+")


@dataclass(frozen=True, slots=True)
class FolderTarget:
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
                raise AnchorFailed(message) from error
        message = f"{path} holds another head of the same day and size: find out who wrote it"
        raise AnchorFailed(message)


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


@dataclass(frozen=True, slots=True)
class MailTarget:
    """One address."""

    server: MailServer

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read the setting, which `Settings` has checked already."""
        return cls(MailServer.parse(url))

    @property
    def name(self) -> str:
        """The address; never the password."""
        return self.server.name

    def take(self, given: DaysHead) -> str:
        """Mail the head."""
        try:
            return self.server.send(_message(given))
        except NotMailed as error:
            raise AnchorFailed(str(error)) from error


def _message(given: DaysHead) -> EmailMessage:
    message = new_mail(
        f"{given.head.origin}: head of {given.head.size} events, {given.day}",
        "Keep this mail. The signed head attached says what the log held on this day: with it anybody "
        "can show later that nothing up to it was changed or taken away (coverledger verify DIR "
        "--since FILE).\n",
    )
    name = f"{given.head.origin.replace('/', '_')}-{given.day}.checkpoint"
    message.add_attachment(given.note.encode(), maintype="text", subtype="plain", filename=name)
    return message
