"""Payloads: an event's fields as the exact bytes recorded, and back again, validated and upcast."""

from base64 import b64encode
from secrets import token_bytes

from pydantic import ValidationError

from ledger.domain.event import Event, personal_fields
from ledger.domain.events import EVENT_TYPES
from ledger.store.canonical import canonical_json
from ledger.store.errors import Unreadable
from ledger.store.personal import at_path, place, seal
from ledger.store.upcasts import upcast

SALT = "salt"
"""Payload key of 16 random bytes, base64, so that nothing can be guessed from a payload's hash.

No event may use it.
"""

_SALT_BYTES = 16
_SALT_START = b'"salt":"'
_SALT_LENGTH = len(_SALT_START) + 24 + 1
"""The member with its quotes: 16 bytes are 24 characters of base64."""


def write_payload(  # noqa: PLR0913 # a place in the ledger has this many parts
    event: Event, *, book: str, stream: str, version: int, subject: str | None, key: bytes | None
) -> bytes:
    """Write an event's fields with a fresh salt, personal ones sealed under the subject's key.

    Raises ValueError when the event holds something personal and there is no key to seal it with.
    """
    fields: dict[str, object] = event.model_dump(mode="json")
    fields[SALT] = b64encode(token_bytes(_SALT_BYTES)).decode()
    for path in personal_fields(type(event)):
        found = at_path(fields, path.split("."))
        if found is None or not isinstance(found[0][found[1]], str):
            continue  # absent, or carried over as ciphertext from elsewhere
        holder, name = found
        if subject is None or key is None:
            message = f"{event.stable_name}.{path} is personal: say whose, so that it can be sealed"
            raise ValueError(message)
        clear = str(holder[name])
        box = seal(key, clear, place(book, stream, version, event.stable_name, path))
        holder[name] = {"person": subject, "box": box}
    return canonical_json(fields)


def read_payload(payload: bytes, *, type_name: str, schema_version: int, stream: str, version: int) -> Event:
    """Read an event back: known type, upcast to its present schema version, validated. Raises Unreadable."""
    event_type = EVENT_TYPES.get(type_name)
    if event_type is None:
        raise Unreadable(stream, version, f"no event is named {type_name}; upgrade the program")
    try:
        fields = _without_salt(payload)
        if schema_version != event_type.schema_version:
            fields = upcast(type_name, schema_version, event_type.schema_version, fields)
        return event_type.model_validate_json(fields)
    except (ValidationError, ValueError, KeyError) as error:
        # The validation's own text would quote values, and a log line must not hold a person's.
        reason = (
            f"its payload is not a {type_name} of schema version {schema_version} ({type(error).__name__})"
        )
        raise Unreadable(stream, version, reason) from error


def _without_salt(payload: bytes) -> bytes:
    """Cut the salt out of canonical bytes.

    The sequence cannot stand inside a string: its quotes would be escaped.
    """
    start = payload.find(_SALT_START)
    if start < 0:
        return payload
    end = start + _SALT_LENGTH
    if payload[end : end + 1] == b",":
        return payload[:start] + payload[end + 1 :]
    if payload[start - 1 : start] == b",":
        return payload[: start - 1] + payload[end:]
    return payload[:start] + payload[end:]
