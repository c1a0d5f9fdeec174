"""Personal data: sealed field by field with AES-256-GCM under the person's own key, bound to its place."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from secrets import token_bytes

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.store.canonical import canonical_json

ERASED = "[erased]"
"""Shown for a value whose key was destroyed."""

_NONCE_BYTES = 12


def place(book: str, stream: str, version: int, event_type: str, field: str) -> bytes:
    """Say where a ciphertext belongs: its associated data. Moved elsewhere, it does not open."""
    return canonical_json(
        {"book": book, "field": field, "stream": stream, "type": event_type, "version": version}
    )


def seal(key: bytes, value: str, associated: bytes) -> str:
    """Seal one value; base64 of nonce, ciphertext and tag."""
    nonce = token_bytes(_NONCE_BYTES)
    return b64encode(nonce + AESGCM(key).encrypt(nonce, value.encode(), associated)).decode()


def unseal(key: bytes, box: str, associated: bytes) -> str:
    """Open one value.

    Raises cryptography's InvalidTag when key or place are not the ones it was sealed with.
    """
    sealed = b64decode(box, validate=True)
    return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], associated).decode()


def at_path(fields: dict[str, object], path: Sequence[str]) -> tuple[dict[str, object], str] | None:
    """Find the object that holds a dotted path's last name; None where an object on the way is absent."""
    holder: object = fields
    for name in path[:-1]:
        holder = holder.get(name) if isinstance(holder, dict) else None
    return (holder, path[-1]) if isinstance(holder, dict) and path[-1] in holder else None
