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
from ledger.whole_files import create_whole, sync_folder, write_out

KEY_BYTES = 32
_NONCE_BYTES = 12
_NOT_SEEN = (0, 0, 0)
_MODE = 0o600
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
        self._held = _Held(dict(keys), current)
        self._path = path
        self._seen: tuple[int, int, int] | None = _NOT_SEEN

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
            create_whole(path, _written(keys._held), _MODE)
        except FileExistsError:
            message = (
                f"{path} exists already: a master key is never overwritten; move the file away if you mean it"
            )
            raise KeyFileRefused(message) from None
        return keys

    @classmethod
    def read(cls, path: Path) -> "MasterKeys":
        """Read the file. Raises KeyFileRefused when it is missing, malformed, or open to others."""
        held = _read(path)
        return cls(held.keys, held.current, path)

    @property
    def ids(self) -> frozenset[str]:
        """Ids of all keys held."""
        return frozenset(self._held.keys)

    @property
    def current(self) -> str:
        """Id of the key that wraps."""
        return self._held.current

    def read_again(self) -> None:
        """Take what the file holds now, if somebody rotated the keys meanwhile. Raises KeyFileRefused."""
        if self._path is not None and self._stamp() != self._seen:
            seen = self._stamp()
            self._held = _read(self._path)
            self._seen = seen

    def rotate(self) -> str:
        """Add a new key, make it the current one and return its id.

        What others wrapped is to be wrapped anew.
        """
        current = token_hex(8)
        self._rewrite(_Held(dict(self._held.keys) | {current: token_bytes(KEY_BYTES)}, current))
        return current

    def destroy(self, key_id: str) -> None:
        """Forget a key that is not the current one: whatever it still wraps is lost for ever."""
        if key_id == self.current:
            message = "the current master key cannot be destroyed: rotate first"
            raise KeyFileRefused(message)
        kept = {held: key for held, key in self._held.keys.items() if held != key_id}
        self._rewrite(_Held(kept, self.current))

    def wrap(self, key: bytes, purpose: str) -> WrappedKey:
        """Wrap a key with the current master key. `purpose` is bound in: elsewhere it does not open."""
        self.read_again()
        held, nonce = self._held, token_bytes(_NONCE_BYTES)
        sealed = AESGCM(held.keys[held.current]).encrypt(nonce, key, purpose.encode())
        return WrappedKey(held.current, nonce + sealed)

    def unwrap(self, key: WrappedKey, purpose: str) -> bytes:
        """Open a wrapped key. Raises MasterKeyMissing when its master is not held or does not open it."""
        master = self._held.keys.get(key.master_id)
        if master is None:
            self.read_again()
            master = self._held.keys.get(key.master_id)
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

    def _stamp(self) -> tuple[int, int, int] | None:
        """Tell one state of the file from another; None: there is no file."""
        try:
            found = None if self._path is None else self._path.stat()
        except FileNotFoundError:
            return None
        return None if found is None else (found.st_ino, found.st_mtime_ns, found.st_size)

    def _rewrite(self, held: "_Held") -> None:
        """Replace the file in one step, so that a crash leaves the old one or the new one, never neither."""
        if self._path is not None:
            beside = self._path.with_name(self._path.name + ".new")
            beside.unlink(missing_ok=True)
            write_out(beside, _written(held), _MODE)
            with self._path.open("r+b") as old:
                beside.replace(self._path)
                sync_folder(self._path.parent)
                # What was replaced may hold a key that is to be gone. Where the disk does not write over it
                # in place (copy-on-write, flash), it is gone once the disk reclaims it.
                old.write(bytes(os.fstat(old.fileno()).st_size))
                old.flush()
                os.fsync(old.fileno())
        self._held = held
        self._seen = self._stamp()


@dataclass(frozen=True, slots=True)
class _Held:
    """The keys of a file as one picture: whoever reads while it is replaced sees the old or the new one."""

    keys: Mapping[str, bytes]
    current: str


def _read(path: Path) -> _Held:
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
    return _Held(keys, current)


def _written(held: _Held) -> str:
    keys = {key_id: b64encode(key).decode() for key_id, key in held.keys.items()}
    return json.dumps({"current": held.current, "keys": keys}, indent=1)
