"""Base64 of RFC 4648 §4 as the C2SP formats want it: one spelling for each value, anything else refused."""

from base64 import b64decode, b64encode
from binascii import Error


def to_base64(raw: bytes) -> str:
    """Spell bytes in base64, padded."""
    return b64encode(raw).decode("ascii")


def from_base64(text: str) -> bytes | None:
    """Read base64 text; None if it is not the one canonical spelling of its bytes."""
    try:
        raw = b64decode(text.encode("ascii"), validate=True)
    except (Error, UnicodeEncodeError):
        return None
    return raw if to_base64(raw) == text else None
