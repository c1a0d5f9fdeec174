"""The file of master keys, which wrap every other key. It stays outside the database and its backups."""

import json
import os
import stat
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes, token_hex

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.store.errors import KeyFileRefused, MasterKeyMissing

KEY_BYTES = 32
_NONCE_BYTES = 12
_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A key as the database may hold it, and the master key that opens it."""

    master_id: str
    wrapped: bytes


class MasterKeys:
    """The master keys of one file: the current one wraps, each still unwraps what it wrapped."""

    def __init__(self, keys: Mapping[str, bytes], current: str, path: Path | None = None) -> None:
        """`keys`: 32 bytes each, by their ids. `path`: where they are kept; None: nowhere, as in tests."""
        self._keys = dict(keys)
        self.current = current
        self._path = path

    @classmethod
    def generate(cls) -> "MasterKeys":
        """Make one new key that no file keeps."""
        key_id = token_hex(8)
        return cls({key_id: token_bytes(KEY_BYTES)}, key_id)

    @classmethod
    def create(cls, path: Path) -> "MasterKeys":
        """Make the file, mode 0600, with one new key. Raises KeyFileRefused if there is one already."""
        key_id = token_hex(8)
        keys = cls({key_id: token_bytes(KEY_BYTES)}, key_id, path)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            message = (
                f"{path} exists already: a master key is never overwritten; move the file away if you mean it"
            )
            raise KeyFileRefused(message) from None
        keys._write(descriptor)
        return keys

    @classmethod
    def read(cls, path: Path) -> "MasterKeys":
        """Read the file. Raises KeyFileRefused when it is missing, malformed, or open to others."""
        try:
            mode = path.stat().st_mode
            content = path.read_bytes()
        except OSError as error:
            message = f"the master key {path} cannot be read ({error.strerror}): restore it from your copy"
            raise KeyFileRefused(message) from error
        if mode & _OPEN_TO_OTHERS:
            message = f"the master key {path} is open to others than its owner: run `chmod 600 {path}`"
            raise KeyFileRefused(message)
        try:
            parsed = json.loads(content)
            keys = {key_id: b64decode(text, validate=True) for key_id, text in parsed["keys"].items()}
            current = str(parsed["current"])
        except (ValueError, KeyError, TypeError, AttributeError, NotBase64) as error:
            message = f"the master key {path} is malformed: restore it from your copy"
            raise KeyFileRefused(message) from error
        if current not in keys or any(len(key) != KEY_BYTES for key in keys.values()):
            message = f"the master key {path} is malformed: restore it from your copy"
            raise KeyFileRefused(message)
        return cls(keys, current, path)

    @property
    def ids(self) -> frozenset[str]:
        """Ids of all keys held."""
        return frozenset(self._keys)

    def rotate(self) -> str:
        """Add a new key, make it the current one and return its id.

        What others wrapped is to be wrapped anew.
        """
        self.current = token_hex(8)
        self._keys[self.current] = token_bytes(KEY_BYTES)
        self._rewrite()
        return self.current

    def destroy(self, key_id: str) -> None:
        """Forget a key that is not the current one: whatever it still wraps is lost for ever."""
        if key_id == self.current:
            message = "the current master key cannot be destroyed: rotate first"
            raise KeyFileRefused(message)
        del self._keys[key_id]
        self._rewrite()

    def wrap(self, key: bytes, purpose: str) -> WrappedKey:
        """Wrap a key with the current master key. `purpose` is bound in: elsewhere it does not open."""
        nonce = token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self._keys[self.current]).encrypt(nonce, key, purpose.encode())
        return WrappedKey(self.current, nonce + sealed)

    def unwrap(self, key: WrappedKey, purpose: str) -> bytes:
        """Open a wrapped key. Raises MasterKeyMissing when its master is not held or does not open it."""
        master = self._keys.get(key.master_id)
        if master is None:
            message = f"the key file does not hold the master key {key.master_id}: restore it from your copy"
            raise MasterKeyMissing(message)
        try:
            return AESGCM(master).decrypt(
                key.wrapped[:_NONCE_BYTES], key.wrapped[_NONCE_BYTES:], purpose.encode()
            )
        except InvalidTag as error:
            message = (
                f"the master key {key.master_id} does not open {purpose}: the vault does not belong to "
                "this key file"
            )
            raise MasterKeyMissing(message) from error

    def _rewrite(self) -> None:
        """Replace the file in one step, so that a crash leaves the old one or the new one, never neither."""
        if self._path is None:
            return
        beside = self._path.with_name(self._path.name + ".new")
        beside.unlink(missing_ok=True)
        self._write(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        beside.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _write(self, descriptor: int) -> None:
        held = {key_id: b64encode(key).decode() for key_id, key in self._keys.items()}
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump({"current": self.current, "keys": held}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
