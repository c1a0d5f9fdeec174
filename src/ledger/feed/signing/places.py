"""The files beside the database that make its log believable: they do not go back when the database does.

For a key file `signing-cyber-care.key` there stand beside it

- `signing-cyber-care.head`: the last signed head
- `signing-cyber-care.epochs`: the log's epochs, one JSON object a line
- `signing-cyber-care.epoch-1.key` and `….head`: key file and last head of an epoch that is over
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ledger.feed.proofs.checkpoint import Checkpoint
from ledger.feed.proofs.kept_head import keep_head, kept_head
from ledger.feed.proofs.keyfile import SigningKeys, create_keys, load_keys
from ledger.feed.proofs.private_file import create_private, read_private, replace_private
from ledger.feed.proofs.refused import KeyFileRefused
from ledger.store.log import Epoch


@dataclass(frozen=True, slots=True)
class SigningPlace:
    """Where one book's signing key lies, and what is kept beside it. All files have mode 0600."""

    key: Path

    @property
    def head(self) -> Path:
        """The last signed head."""
        return self.key.with_suffix(".head")

    @property
    def epochs(self) -> Path:
        """The epochs of the log."""
        return self.key.with_suffix(".epochs")

    def of_epoch(self, epoch: int) -> "SigningPlace":
        """Give the place where an epoch that is over was put away."""
        return SigningPlace(self.key.with_suffix(f".epoch-{epoch}{self.key.suffix}"))

    def make_folder(self) -> None:
        """Make the folder of the files, closed to others, where it is missing."""
        self.key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keys(self) -> SigningKeys:
        """Read the key file. Raises KeyFileRefused."""
        return load_keys(self.key)

    def create_keys(self, origin: str) -> SigningKeys:
        """Make the key of a new log, unless somebody was faster: then read theirs. Raises KeyFileRefused."""
        self.make_folder()
        try:
            return create_keys(self.key, origin)
        except FileExistsError:
            return self.keys()

    def kept(self, keys: SigningKeys) -> Checkpoint | None:
        """Read the last signed head, None before the first. Raises KeyFileRefused."""
        return kept_head(self.head, keys.verifier_keys)

    def kept_note(self) -> str:
        """Read the last signed head as it was written. Raises KeyFileRefused."""
        return read_private(self.head)

    def keep(self, signed: str) -> None:
        """Keep a signed head, on disk before this returns."""
        keep_head(self.head, signed)

    def kept_epochs(self) -> list[Epoch]:
        """Read the epochs kept here, the first one first; none for a log that never began a further one."""
        if not self.epochs.exists():
            return []
        try:
            return [_epoch(line) for line in read_private(self.epochs).splitlines()]
        except (ValueError, KeyError, TypeError) as error:
            message = f"{self.epochs} is malformed: restore it from its copy"
            raise KeyFileRefused(message) from error

    def keep_epochs(self, epochs: Sequence[Epoch]) -> None:
        """Keep the epochs, on disk before this returns."""
        replace_private(self.epochs, "".join(f"{_line(epoch)}\n" for epoch in epochs))

    def put_away(self, epoch: int) -> None:
        """Copy key and head to where those of an epoch that is over lie, unless that was done before."""
        there = self.of_epoch(epoch)
        for file, copy in ((self.key, there.key), (self.head, there.head)):
            if file.exists() and not copy.exists():
                create_private(copy, read_private(file))


def _line(epoch: Epoch) -> str:
    root = None if epoch.lost_root is None else b64encode(epoch.lost_root).decode()
    return json.dumps(epoch._asdict() | {"begun_at": epoch.begun_at.isoformat(), "lost_root": root})


def _epoch(line: str) -> Epoch:
    told = json.loads(line)
    root = None if told["lost_root"] is None else b64decode(told["lost_root"], validate=True)
    return Epoch(**told | {"begun_at": datetime.fromisoformat(told["begun_at"]), "lost_root": root})
