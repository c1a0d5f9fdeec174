"""Signatures by the Standard Webhooks specification (symmetric, v1). Pure."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from secrets import token_bytes
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
FEWEST_BYTES: Final = 24
MOST_BYTES: Final = 64
"""As the specification has it."""


def new_secret() -> str:
    """Make a secret as it is given to the receiver: `whsec_` and base64 of 32 random bytes."""
    return PREFIX + b64encode(token_bytes(SECRET_BYTES)).decode()


def checked_secret(text: str) -> str:
    """Make sure that a secret is one. Raises ValueError."""
    try:
        key = b64decode(text.removeprefix(PREFIX), validate=True)
    except ValueError:
        key = b""
    if not text.startswith(PREFIX) or not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        message = f"it is no secret: {PREFIX} and base64 of {FEWEST_BYTES} to {MOST_BYTES} bytes"
        raise ValueError(message)
    return text


def signed_headers(secrets: Sequence[str], message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """Give the three headers of one delivery, signed with each secret.

    `message_id`: the event's id, the same at each try. `now`: the instant of this try, to the second.
    """
    timestamp = str(int(now.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(PREFIX), validate=True)
    return "v1," + b64encode(hmac.digest(key, signed, "sha256")).decode()
