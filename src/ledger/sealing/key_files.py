"""The signing keys of a log in a file that only its owner may read.

```
# claims-ledger signing key 1 — keep a copy outside this machine
signs from 9000: PRIVATE+KEY+example.com/log+5678abcd+…
signs too from 5000 until 2027-02-28T10:00:00+00:00: PRIVATE+KEY+example.com/log+1234abcd+…
verified 0 to 5000: example.com/log+33d7b496+…
```

The private key is spelt as in Go's `sumdb/note`. After a rotation the old key signs too for some time, so
that those who know it alone can go on; then only its verifier key is kept, with the sizes of the heads that
it signed, so that old checkpoints verify for ever.
"""

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.atomic_files import create_whole, sync_folder, write_out
from ledger.proofs.errors import BadNote, KeyFileRefused
from ledger.proofs.notes import ED25519, Ed25519Signer, VerifierKey, from_base64, to_base64

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


_FIRST_LINE = "# claims-ledger signing key 1 — keep a copy outside this machine"
_SIGNS = re.compile(r"signs from (0|[1-9][0-9]{0,18}): PRIVATE\+KEY\+(.+)")
_SIGNS_TOO = re.compile(
    r"signs too from (0|[1-9][0-9]{0,18}) until ([0-9]{4}-[0-9:T-]{14}(?:\.[0-9]{6})?\+00:00): "
    r"PRIVATE\+KEY\+(.+)"
)
_VERIFIED = re.compile(r"verified (0|[1-9][0-9]{0,18}) to (0|[1-9][0-9]{0,18}): (.+)")
_SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class RetiredKey:
    """A key that signs no more: it signed the heads of `from_size` to `to_size` leaves."""

    key: VerifierKey
    from_size: int
    to_size: int


@dataclass(frozen=True, slots=True)
class OutgoingKey:
    """A key that was rotated away and signs beside its successor for some time."""

    signer: Ed25519Signer
    from_size: int
    until: datetime


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The key that signs now, from which size on, and those that signed before it, oldest first."""

    signer: Ed25519Signer
    from_size: int = 0
    retired: Sequence[RetiredKey] = ()
    outgoing: Sequence[OutgoingKey] = ()

    @property
    def signers(self) -> list[Ed25519Signer]:
        """All that sign a new head, the key in force first."""
        return [self.signer, *(old.signer for old in reversed(self.outgoing))]

    @property
    def verifier_keys(self) -> list[VerifierKey]:
        """All keys, the one in force first: what an auditor needs for every head ever signed."""
        signing = [signer.verifier_key for signer in self.signers]
        return [*signing, *(old.key for old in reversed(self.retired))]

    def verifier_keys_at(self, size: int) -> list[VerifierKey]:
        """Return the keys whose signature counts under a head of `size` leaves."""
        current = [self.signer.verifier_key] if size >= self.from_size else []
        outgoing = [old.signer.verifier_key for old in self.outgoing if size >= old.from_size]
        return current + outgoing + [old.key for old in self.retired if old.from_size <= size <= old.to_size]

    def rotated(self, last_signed_size: int, until: datetime | None = None) -> "SigningKeys":
        """Return a new key.

        With `until` it signs from the last head on, and the old one beside it until then; else it signs what
        is larger, and the old private key is left behind at once.
        """
        if last_signed_size < self.from_size:
            message = (
                f"the key signs from size {self.from_size} on, a head of {last_signed_size} is not its own"
            )
            raise ValueError(message)
        signer = Ed25519Signer(self.signer.name, Ed25519PrivateKey.generate())
        if until is not None:
            old = OutgoingKey(self.signer, self.from_size, until)
            return SigningKeys(signer, last_signed_size, self.retired, (*self.outgoing, old))
        past = RetiredKey(self.signer.verifier_key, self.from_size, last_signed_size)
        return SigningKeys(signer, last_signed_size + 1, (*self.retired, past), self.outgoing)

    def without_outgoing(self, now: datetime, last_signed_size: int) -> "SigningKeys":
        """Return the keys that sign from now on: those whose time is over have signed up to the last head."""
        past = [old for old in self.outgoing if old.until <= now]
        retired = [RetiredKey(old.signer.verifier_key, old.from_size, last_signed_size) for old in past]
        staying = tuple(old for old in self.outgoing if old.until > now)
        return replace(self, retired=(*self.retired, *retired), outgoing=staying)

    def renamed(self, origin: str) -> "SigningKeys":
        """Return the same key under a new epoch's origin; keys of the old origin stay in the old file."""
        return SigningKeys(Ed25519Signer(origin, self.signer.private_key))


def create_keys(path: Path, origin: str) -> SigningKeys:
    """Create the key file of a new log. Raises FileExistsError: a key is never overwritten."""
    keys = SigningKeys(Ed25519Signer(origin, Ed25519PrivateKey.generate()))
    create_private(path, write_keys(keys))
    return keys


def load_keys(path: Path) -> SigningKeys:
    """Read the key file. Raises KeyFileRefused if it is missing, malformed or not of mode 0600."""
    try:
        return read_keys(read_private(path))
    except BadNote as error:
        message = f"{path} is not a signing key file ({error}): restore it from its copy"
        raise KeyFileRefused(message) from error


def rotate_keys(path: Path, last_signed_size: int, until: datetime | None = None) -> SigningKeys:
    """Replace the signing key by a new one (see `SigningKeys.rotated`). Raises KeyFileRefused."""
    keys = load_keys(path).rotated(last_signed_size, until)
    replace_private(path, write_keys(keys))
    return keys


def write_keys(keys: SigningKeys) -> str:
    """Write a key file."""
    lines = [_FIRST_LINE, f"signs from {keys.from_size}: {_private(keys.signer)}"]
    lines += [
        f"signs too from {old.from_size} until {old.until.isoformat()}: {_private(old.signer)}"
        for old in keys.outgoing
    ]
    lines += [f"verified {old.from_size} to {old.to_size}: {old.key}" for old in keys.retired]
    return "\n".join(lines) + "\n"


def _private(signer: Ed25519Signer) -> str:
    key, seed = signer.verifier_key, signer.private_key.private_bytes_raw()
    return f"PRIVATE+KEY+{key.name}+{key.key_id.hex()}+{to_base64(ED25519 + seed)}"


def read_keys(text: str) -> SigningKeys:
    """Read a key file's text. Raises BadNote."""
    first, *lines = text.split("\n")
    signs = _SIGNS.fullmatch(lines[0]) if lines else None
    if first != _FIRST_LINE or signs is None or lines[-1]:
        message = "it must have a first line, a line 'signs from …' and one a retired key"
        raise BadNote(message)
    outgoing: list[OutgoingKey] = []
    retired: list[RetiredKey] = []
    for line in lines[1:-1]:
        signs_too = _SIGNS_TOO.fullmatch(line)
        if signs_too is None:
            retired.append(_read_retired(line))
        else:
            outgoing.append(
                OutgoingKey(_read_signer(signs_too[3]), int(signs_too[1]), _instant(signs_too[2]))
            )
    return SigningKeys(_read_signer(signs[2]), int(signs[1]), tuple(retired), tuple(outgoing))


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        message = f"it names an instant that does not exist: {text}"
        raise BadNote(message) from error


def _read_signer(text: str) -> Ed25519Signer:
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = from_base64(encoded)
    if raw is None or len(raw) != 1 + _SEED_BYTES or raw[:1] != ED25519:
        message = "its private key is not an Ed25519 key"
        raise BadNote(message)
    signer = Ed25519Signer(name, Ed25519PrivateKey.from_private_bytes(raw[1:]))
    if signer.verifier_key.key_id.hex() != key_id:
        message = "its private key does not fit the name and key id beside it"
        raise BadNote(message)
    return signer


def _read_retired(line: str) -> RetiredKey:
    verified = _VERIFIED.fullmatch(line)
    if verified is None:
        message = f"a line is no 'verified <from> to <to>: <verifier key>': {line[:60]!r}"
        raise BadNote(message)
    return RetiredKey(VerifierKey.parse(verified[3]), int(verified[1]), int(verified[2]))
