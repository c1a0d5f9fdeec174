"""The leaf: what the Merkle log commits to of one event, as RFC 8785 bytes that are never written anew."""

from datetime import UTC, date, datetime
from hashlib import sha256
from json.encoder import encode_basestring
from uuid import UUID

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
