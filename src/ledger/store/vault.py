"""Personal values, sealed under a key a person, and how they are opened."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from secrets import token_bytes
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.domain.identifiers import StreamRef
from ledger.store.canonical import canonical_json, stream_id
from ledger.store.errors import Unreadable
from ledger.store.keys import SubjectKeys
from ledger.store.pool import Connection

ERASED = "[erased]"
"""Shown for a value whose key was destroyed."""

_NONCE_BYTES = 12


def place(book: str, stream: str, version: int, event_type: str, field: str) -> bytes:
    """Return where a ciphertext belongs: its associated data. Moved elsewhere, it does not open."""
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


_READ: Final = """
select version, type, payload from ledger.events where book = %s and stream_id = %s and version = any(%s)
order by version
"""


class SealedValue(NamedTuple):
    """One ciphertext in a payload, by its dotted path."""

    path: str
    person: str
    box: str


def sealed_values(payload: bytes) -> Iterator[SealedValue]:
    """Find what is sealed in a payload, of whatever schema version: objects of exactly `person` and `box`."""
    yield from _walk("", json.loads(payload))


def open_personal(
    connection: Connection, keys: SubjectKeys, book: str, stream: StreamRef, versions: Sequence[int]
) -> Mapping[int, Mapping[str, str]]:
    """Open the personal fields of these versions of a stream: `[erased]` where the person's key is gone.

    Raises Unreadable when a ciphertext does not belong where it stands.
    """
    with connection.cursor() as cursor:
        cursor.execute(_READ, (book, str(stream_id(book, stream)), list(versions)))
        rows = [
            (version, type_name, list(sealed_values(bytes(payload))))
            for version, type_name, payload in cursor
        ]
    persons = {value.person for _, _, values in rows for value in values}
    held = keys.for_reading(connection, book, persons) if persons else {}
    opened: dict[int, dict[str, str]] = {}
    for version, type_name, values in rows:
        opened[version] = {}
        for value in values:
            key = held.get(value.person)
            associated = place(book, stream.name, version, type_name, value.path)
            try:
                opened[version][value.path] = unseal(key, value.box, associated) if key else ERASED
            except (InvalidTag, ValueError) as error:
                reason = f"the ciphertext of {value.path} does not belong there: run `coverledger verify`"
                raise Unreadable(stream.name, version, reason) from error
    return opened


def _walk(path: str, value: object) -> Iterator[SealedValue]:
    if isinstance(value, dict):
        if value.keys() == {"person", "box"}:
            yield SealedValue(path, value["person"], value["box"])
            return
        for name, inner in value.items():
            yield from _walk(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _walk(f"{path}.{number}", inner)


# Reads each SubjectErased of the book: nothing but a restore asks.
_UNTOLD: Final = """
select person from vault.subjects where book = %(book)s and wrapped is null
except
select convert_from(payload, 'UTF8')::json ->> 'person' from ledger.events
where book = %(book)s and type in ('contract.SubjectErased', 'claim.SubjectErased', 'complaint.SubjectErased')
order by person
"""


def untold_erasures(connection: Connection, book: str) -> list[str]:
    """Return the erased of a book whose SubjectErased the log does not hold (any more)."""
    with connection.cursor() as cursor:
        cursor.execute(_UNTOLD, {"book": book})
        return [person for (person,) in cursor.fetchall()]
