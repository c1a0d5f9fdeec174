"""What is derived and hashed in one way for ever: ids of streams, canonical JSON, instants, leaves.

Canonical JSON: the encoder of the standard library writes what RFC 8785 asks for, as long as there are
no floats, integers stay within 53 bits and keys sort alike by code point and by UTF-16 unit. The last differs
only for characters beyond U+FFFF, and what holds one goes to the `rfc8785` package. A property test holds the
two together.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring
from uuid import NAMESPACE_URL, UUID, uuid5

import rfc8785

from ledger.domain.identifiers import StreamRef


@lru_cache(maxsize=64)
def book_namespace(book: str) -> UUID:
    """Namespace of all stream ids of one book."""
    return uuid5(NAMESPACE_URL, "claims-ledger:" + book)


@lru_cache(maxsize=65_536)
def stream_id(book: str, stream: StreamRef) -> UUID:
    """Id of a stream: UUIDv5 of book, kind and number.

    The same number in the same book is the same stream.
    """
    return uuid5(book_namespace(book), stream.name)


def named_stream_id(book: str, name: str) -> UUID:
    """Id of the stream of a stored name, `contract/CC-1`.

    A name without a slash is of another application of `eventsourcing`, and is the id itself. Raises
    ValueError for a name that is neither.
    """
    return uuid5(book_namespace(book), name) if "/" in name else UUID(name)


def stream_ref(name: str) -> StreamRef:
    """Stream of a stored name, `contract/CC-1`: the number is all that stands after the first slash."""
    kind, _, number = name.partition("/")
    return StreamRef(kind, number)  # type: ignore[arg-type] # stored names were StreamRefs when they were recorded


_ENCODE = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode

_LAST_OF_THE_BASIC_PLANE = "\uffff"


def canonical_json(value: Mapping[str, object]) -> bytes:
    """Write an object of strings, integers, booleans, nulls, lists and objects.

    Raises ValueError on a lone surrogate.
    """
    text = _ENCODE(value)
    if text.isascii() or max(text) <= _LAST_OF_THE_BASIC_PLANE:
        return text.encode()
    return rfc8785.dumps(dict(value))  # type: ignore[arg-type] # the same values that the line above has just taken


LEAF_FORMAT = 1
"""The field `v`. Old leaves must verify for ever: a change of format is a further number."""

LONGEST_LEAF_BYTES = 65_535
"""C2SP tlog-tiles gives an entry a length of 16 bits."""


def instant_text(instant: datetime) -> str:
    """Write an instant as RFC 3339 in UTC with microseconds: `2026-03-01T09:30:00.000000Z`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def leaf_bytes(  # noqa: PLR0913 # the leaf's own fields, each of which must be given
    *,
    book: str,
    event_id: UUID,
    stream: str,
    version: int,
    prev: bytes | None,
    type_name: str,
    schema_version: int,
    effective_on: date,
    at: str,
    recorded_at: str,
    actor: str,
    command_id: str,
    ordinal: int,
    correlation_id: UUID,
    causation_id: UUID | None,
    payload: bytes,
) -> bytes:
    """Write the leaf of one event. `prev`: leaf hash of the stream's previous event, None in its first.

    `at` and `recorded_at` as `instant_text` gives them. Keys stand in the order of RFC 8785; absent ones are
    left out.
    """
    quote = encode_basestring
    leaf = (
        f'{{"actor":{quote(actor)},"at":"{at}","book":{quote(book)},'
        + (f'"causation_id":"{causation_id}",' if causation_id else "")
        + f'"command_id":{quote(command_id)},"correlation_id":"{correlation_id}",'
        f'"effective_on":"{effective_on}","event_id":"{event_id}","ordinal":{ordinal},'
        f'"payload_sha256":"{sha256(payload).hexdigest()}",'
        + (f'"prev":"{prev.hex()}",' if prev else "")
        + f'"recorded_at":"{recorded_at}","schema_version":{schema_version},'
        f'"stream":{quote(stream)},"type":{quote(type_name)},"v":{LEAF_FORMAT},"version":{version}}}'
    ).encode()
    if len(leaf) > LONGEST_LEAF_BYTES:
        message = (
            f"the leaf of {stream} version {version} would be {len(leaf)} bytes, more than a tile's "
            "entry can hold"
        )
        raise ValueError(message)
    return leaf


def leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf as RFC 6962 does: SHA-256 of 0x00 and the leaf."""
    return sha256(b"\x00" + leaf).digest()
