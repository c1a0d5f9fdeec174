"""The files beside the database that make its log believable: they do not go back when the database does.

The database may be restored or fail over to an older state; the file beside the key does not. So a log that
lost or changed what was signed is noticed by the one who signs, before a second history gets a signature.

For a key file `signing-cyber-care.key` there stand beside it

- `signing-cyber-care.head`: the last signed head
- `signing-cyber-care.epochs`: the log's epochs, one JSON object a line
- `signing-cyber-care.epoch-1.key` and `….head`: key file and last head of an epoch that is over
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ledger.proofs.checkpoints import Checkpoint, open_checkpoint
from ledger.proofs.errors import BadNote, BadProof, KeyFileRefused, LogForked
from ledger.proofs.merkle import ReadNodes, consistency_proof, verify_consistency
from ledger.proofs.notes import VerifierKey
from ledger.sealing.key_files import (
    SigningKeys,
    create_keys,
    create_private,
    load_keys,
    read_private,
    replace_private,
)
from ledger.store.log import Epoch

_NEXT_STEP = (
    "nothing is sealed or signed; find out with `coverledger verify` who changed the database, put its "
    "newest state back, or go on from what is there in a new epoch: `coverledger restore --accept`"
)


def keep_head(path: Path, signed: str) -> None:
    """Keep a signed checkpoint, on disk before this returns; to be called before the head is published."""
    replace_private(path, signed)


def kept_head(path: Path, keys: Iterable[VerifierKey]) -> Checkpoint | None:
    """Read the head kept, None before the first. Raises KeyFileRefused if it is not ours."""
    if not path.exists():
        return None
    try:
        return open_checkpoint(read_private(path), keys)
    except BadNote as error:
        message = f"{path} is not a head signed by this log's key ({error}): restore it from its copy"
        raise KeyFileRefused(message) from error


def check_extends(kept: Checkpoint | None, head: Checkpoint, read_nodes: ReadNodes) -> None:
    """Prove that `head`, the root of the stored nodes, extends the head kept. Raises LogForked.

    Reads O(log n) nodes of the log as it is stored now, once.
    """
    if kept is None or (kept.size == 0 and kept.origin == head.origin):
        return
    if kept.origin != head.origin:
        message = f"the head kept is of the log {kept.origin}, not of {head.origin}: {_NEXT_STEP}"
        raise LogForked(message)
    if head.size < kept.size:
        message = (
            f"the log {head.origin} has {head.size} events, but a head of {kept.size} has been signed: "
            f"the database is older than its last head; {_NEXT_STEP}"
        )
        raise LogForked(message)
    try:
        proof = consistency_proof(kept.size, head.size, read_nodes)
        verify_consistency(kept.size, head.size, kept.root, head.root, proof)
    except BadProof as error:
        message = f"the log {head.origin} of {head.size} events is forked ({error}): {_NEXT_STEP}"
        raise LogForked(message) from error


@dataclass(frozen=True, slots=True)
class SigningFiles:
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

    def of_epoch(self, epoch: int) -> "SigningFiles":
        """Return the place where an epoch that is over was put away."""
        return SigningFiles(self.key.with_suffix(f".epoch-{epoch}{self.key.suffix}"))

    def make_folder(self) -> None:
        """Make the folder of the files, closed to others, where it is missing."""
        self.key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keys(self) -> SigningKeys:
        """Read the key file. Raises KeyFileRefused."""
        return load_keys(self.key)

    def keys_at_hand(self) -> SigningKeys:
        """Read the key file; where it lies elsewhere, say how to do without. Raises KeyFileRefused."""
        if not self.key.exists():
            message = f"the log's signing key {self.key} is not here: give the verifier key with --key"
            raise KeyFileRefused(message)
        return self.keys()

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
