"""The log's signing key: a file outside the database, mode 0600, one line a key.

```
# claims-ledger signing key 1 — keep a copy outside this machine
signs from 5000: PRIVATE+KEY+example.com/log+1234abcd+…
verified 0 to 4999: example.com/log+33d7b496+…
```

The private key is spelt as in Go's `sumdb/note`. After a rotation only the verifier key of the old one is
kept, with the sizes of the heads that it signed, so that old checkpoints verify for ever.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.feed.proofs.base64_text import from_base64, to_base64
from ledger.feed.proofs.note import ED25519, Ed25519Signer, VerifierKey
from ledger.feed.proofs.private_file import create_private, read_private, replace_private
from ledger.feed.proofs.refused import BadNote, KeyFileRefused

_FIRST_LINE = "# claims-ledger signing key 1 — keep a copy outside this machine"
_SIGNS = re.compile(r"signs from (0|[1-9][0-9]{0,18}): PRIVATE\+KEY\+(.+)")
_VERIFIED = re.compile(r"verified (0|[1-9][0-9]{0,18}) to (0|[1-9][0-9]{0,18}): (.+)")
_SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class RetiredKey:
    """A key that signs no more: it signed the heads of `from_size` to `to_size` leaves."""

    key: VerifierKey
    from_size: int
    to_size: int


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The key that signs now, from which size on, and those that signed before it, oldest first."""

    signer: Ed25519Signer
    from_size: int = 0
    retired: Sequence[RetiredKey] = ()

    @property
    def verifier_keys(self) -> list[VerifierKey]:
        """All keys, the one that signs now first: what an auditor needs for every head ever signed."""
        return [self.signer.verifier_key, *(old.key for old in reversed(self.retired))]

    def verifier_keys_at(self, size: int) -> list[VerifierKey]:
        """Give the keys whose signature counts under a head of `size` leaves."""
        current = [self.signer.verifier_key] if size >= self.from_size else []
        return current + [old.key for old in self.retired if old.from_size <= size <= old.to_size]

    def rotated(self, last_signed_size: int) -> "SigningKeys":
        """Give a new key that signs after the last head signed so far; the old private key is left behind."""
        if last_signed_size < self.from_size:
            message = (
                f"the key signs from size {self.from_size} on, a head of {last_signed_size} is not its own"
            )
            raise ValueError(message)
        old = RetiredKey(self.signer.verifier_key, self.from_size, last_signed_size)
        signer = Ed25519Signer(self.signer.name, Ed25519PrivateKey.generate())
        return SigningKeys(signer, last_signed_size + 1, (*self.retired, old))

    def renamed(self, origin: str) -> "SigningKeys":
        """Give the same key under the origin of a new epoch; keys of the old origin stay in the old file."""
        return replace(self, signer=Ed25519Signer(origin, self.signer.private_key), from_size=0, retired=())


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


def rotate_keys(path: Path, last_signed_size: int) -> SigningKeys:
    """Replace the signing key by a new one, for heads larger than the last one. Raises KeyFileRefused."""
    keys = load_keys(path).rotated(last_signed_size)
    replace_private(path, write_keys(keys))
    return keys


def write_keys(keys: SigningKeys) -> str:
    """Write a key file."""
    key, seed = keys.signer.verifier_key, keys.signer.private_key.private_bytes_raw()
    private = f"PRIVATE+KEY+{key.name}+{key.key_id.hex()}+{to_base64(ED25519 + seed)}"
    retired = [f"verified {old.from_size} to {old.to_size}: {old.key}" for old in keys.retired]
    return "\n".join([_FIRST_LINE, f"signs from {keys.from_size}: {private}", *retired]) + "\n"


def read_keys(text: str) -> SigningKeys:
    """Read a key file's text. Raises BadNote."""
    first, *lines = text.split("\n")
    signs = _SIGNS.fullmatch(lines[0]) if lines else None
    if first != _FIRST_LINE or signs is None or lines[-1]:
        message = "it must have a first line, a line 'signs from …' and one a retired key"
        raise BadNote(message)
    return SigningKeys(
        _read_signer(signs[2]), int(signs[1]), tuple(_read_retired(line) for line in lines[1:-1])
    )


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
