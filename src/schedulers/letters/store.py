"""Letters as they lie beside the ledger: sealed under their addressee's own key, and so erased with it."""

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import Final
from urllib.parse import quote

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ledger.atomic_files import sync_folder
from ledger.errors import Rejected

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_PURPOSE: Final = b"claims-ledger letters"


class LetterMissing(Rejected):
    """The letter's file is not where this machine keeps letters."""


class LetterDamaged(Rejected):
    """The letter's file is not what was put there."""


@dataclass(frozen=True, slots=True)
class LetterStore:
    """The sealed letters of one book: a file each, named by the SHA-256 of the letter in clear."""

    folder: Path
    book: str

    def put(self, pdf: bytes, key: bytes) -> str:
        """Seal a letter under its addressee's key; on disk before this returns. Gives its SHA-256."""
        digest = sha256(pdf).hexdigest()
        path = self.path(digest)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        nonce = token_bytes(_NONCE_BYTES)
        sealed = nonce + AESGCM(_letters_key(key)).encrypt(nonce, pdf, self._place(digest))
        write_atomically(path, sealed)
        return digest

    def take(self, digest: str, key: bytes) -> bytes:
        """Open a letter. Raises LetterMissing, LetterDamaged."""
        try:
            sealed = self.path(digest).read_bytes()
        except FileNotFoundError:
            message = (
                f"Letter {digest[:12]}… does not lie in {self.folder} of this machine: it was erased with "
                "its addressee, or another machine wrote it."
            )
            raise LetterMissing(message) from None
        nonce, box = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            pdf = AESGCM(_letters_key(key)).decrypt(nonce, box, self._place(digest))
        except (InvalidTag, ValueError) as error:
            message = (
                f"Letter {self.path(digest)} was altered, or belongs to somebody else: restore the file."
            )
            raise LetterDamaged(message) from error
        if sha256(pdf).hexdigest() != digest:
            message = f"Letter {self.path(digest)} does not have the hash that is its name: restore the file."
            raise LetterDamaged(message)
        return pdf

    def remove(self, digest: str) -> bool:
        """Remove a letter; False when it was not there."""
        try:
            self.path(digest).unlink()
        except FileNotFoundError:
            return False
        return True

    def has(self, digest: str) -> bool:
        """Return whether a letter lies here."""
        return self.path(digest).exists()

    def path(self, digest: str) -> Path:
        """Return the path of a letter's file."""
        return self.folder / quote(self.book, safe="") / digest[:2] / f"{digest}.sealed"

    def _place(self, digest: str) -> bytes:
        return f"letter {digest} in {self.book}".encode()


def write_atomically(path: Path, content: bytes, *, named: bool = True) -> None:
    """Write a file that is there whole, and on disk, or not at all.

    `named` False: whoever writes many files sees to the folder's names once, after them.
    """
    draft = path.with_name(f".{path.name}.{token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
    if named:
        sync_folder(path.parent)


def _letters_key(key: bytes) -> bytes:
    """Derive, from a person's key, the one for letters: no two uses share a key."""
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=_PURPOSE).derive(key)
