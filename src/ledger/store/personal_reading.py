"""Opens what is personal in stored events, for those who may read it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag

from ledger.domain.identifiers import StreamRef
from ledger.store.errors import Unreadable
from ledger.store.personal import ERASED, place, unseal
from ledger.store.pool import Connection
from ledger.store.streams import stream_id
from ledger.store.subject_keys import SubjectKeys

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
