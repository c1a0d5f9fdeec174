"""Rows of the log as COPY sends them in binary form, parted in a few steps each."""

from struct import Struct
from struct import error as NotAStruct  # noqa: N812 # a class in all but its name
from typing import Final

_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = b"\xff\xff"

# Number of fields, then each field behind its length in bytes: positions and instants of 8 bytes, ids of 16.
_FIXED: Final = Struct(
    ">h"
    + "4xq" * 2  # position, sealed_at
    + "4x16s"  # stream_id
    + "4xi" * 4  # version, schema_version, ordinal, effective_on
    + "4xq" * 2  # at, recorded_at
    + "4x16s" * 2  # event_id, correlation_id
    + "4x?"  # no causation_id
    + "4x16s"  # causation_id
    + "4xi" * 8  # lengths of what follows
)
_FIELDS: Final = 29
_LENGTH: Final = 4
FastRow = tuple[int, int, bytes, int, int, int, int, int, int, bytes, bytes, bool, bytes,
                bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes]  # fmt: skip
"""position, sealed_at, stream_id, version, schema_version, ordinal, effective_on, at, recorded_at, event_id,
correlation_id, has no causation_id, causation_id; stream, type, actor, command_id, payload, leaf,
leaf_hash of the event, leaf_hash of the log."""


class Differs(Exception):
    """Some row of a portion is not what it must be."""


def parse_rows(sent: bytes) -> list[FastRow]:
    """Part what COPY has sent into rows. Raises Differs where a column holds what none may, as null."""
    if not sent.startswith(_HEADER):
        raise Differs
    rows: list[FastRow] = []
    at, size = len(_HEADER), _FIXED.size
    try:
        while sent[at : at + 2] != _TRAILER:
            (
                fields, position, sealed_at, stream_id, version, schema_version, ordinal, effective_on,
                occurred,
                recorded_at, event_id, correlation_id, uncaused, causation_id,
                n1, n2, n3, n4, n5, n6, n7, n8,
            ) = _FIXED.unpack_from(sent, at)  # fmt: skip
            b1 = at + size + _LENGTH
            b2 = b1 + n1 + _LENGTH
            b3 = b2 + n2 + _LENGTH
            b4 = b3 + n3 + _LENGTH
            b5 = b4 + n4 + _LENGTH
            b6 = b5 + n5 + _LENGTH
            b7 = b6 + n6 + _LENGTH
            b8 = b7 + n7 + _LENGTH
            at = b8 + n8
            if fields != _FIELDS:
                raise Differs
            rows.append((
                position, sealed_at, stream_id, version, schema_version, ordinal, effective_on, occurred,
                recorded_at, event_id, correlation_id, uncaused, causation_id,
                sent[b1 : b1 + n1], sent[b2 : b2 + n2], sent[b3 : b3 + n3], sent[b4 : b4 + n4],
                sent[b5 : b5 + n5], sent[b6 : b6 + n6], sent[b7 : b7 + n7], sent[b8:at],
            ))  # fmt: skip
    except NotAStruct as error:
        raise Differs from error
    return rows
