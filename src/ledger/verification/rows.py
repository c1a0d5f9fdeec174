"""Rows of the log as COPY sends them in binary form, checked at the speed of a million in some seconds.

Each leaf is written anew from the columns beside it and from the leaf before it in its stream, and compared
with the stored leaf as a whole: that is its form, its envelope, its payload's hash and its chain at once.
What does not compare is only told here; `row_diagnosis` says in words what is wrong.

The newest leaf of each stream is at hand as the log goes by: a bounded number in memory, the others looked
up. It is kept as 52 bytes: id of the stream and the next version (the place that must follow), and the leaf
hash that it must name.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from hashlib import sha1, sha256
from itertools import islice
from json.encoder import encode_basestring
from struct import Struct
from typing import Final, NamedTuple
from uuid import UUID

from ledger.store.canonical import book_namespace
from ledger.store.pool import Connection
from ledger.verification.findings import NotVerified

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
    """Some row of a chunk is not what it must be."""


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
    except struct.error as error:
        raise Differs from error
    return rows


KEPT: Final = 250_000
"""Streams kept in memory: some 60 MB."""

Heads = dict[bytes, bytes]
"""Stream's name → place that must follow (20 bytes), leaf hash of the newest (32 bytes)."""

_LOOK_UP: Final = """
select wanted.number, e.leaf_hash
from unnest(%s::uuid[], %s::integer[]) with ordinality as wanted (stream_id, version, number)
join ledger.log l on l.book = %s and l.stream_id = wanted.stream_id and l.version = wanted.version
join ledger.events e on e.book = l.book and e.stream_id = l.stream_id and e.version = l.version
where l.position < %s
"""
_STREAM_ID: Final = 2
_VERSION: Final = 3
_STREAM: Final = 13
_FIRST_VERSION: Final = (1).to_bytes(4, "big")


Answer = list[tuple[int, bytes]]


class StreamHeads:
    """Heads of streams for one pass over a book's log."""

    def __init__(
        self, book: str, ask: Callable[[Callable[[Connection], Answer]], Answer], kept: int = KEPT
    ) -> None:
        """`ask`: puts a question to the snapshot; `kept`: streams kept in memory."""
        self.heads: Heads = {}
        self._book = book
        self._ask = ask
        self._kept = kept

    def forget_oldest(self) -> None:
        """Drop what is beyond the bound."""
        for name in list(islice(self.heads, max(0, len(self.heads) - self._kept))):
            del self.heads[name]

    def fetch(self, rows: Sequence[FastRow], before: int) -> None:
        """Look up the heads that these rows follow on and memory has not.

        Only leaves below the position `before` count: they were checked in their turn.
        """
        missing: dict[bytes, tuple[bytes, int]] = {}
        for row in rows:
            name = row[_STREAM]
            if name not in self.heads and name not in missing:
                missing[name] = (row[_STREAM_ID], row[_VERSION])
        wanted = [(name, *place) for name, place in missing.items() if place[1] > 1]
        if not wanted:
            return
        parameters = (
            [str(UUID(bytes=stream_id)) for _, stream_id, _ in wanted],
            [version - 1 for _, _, version in wanted],
            self._book,
            before,
        )

        def look_up(connection: Connection) -> Answer:
            with connection.cursor() as cursor:
                cursor.execute(_LOOK_UP, parameters)
                return [(number, bytes(leaf_hash)) for number, leaf_hash in cursor.fetchall()]

        for number, leaf_hash in self._ask(look_up):
            name, stream_id, version = wanted[number - 1]
            self.heads[name] = stream_id + version.to_bytes(4, "big") + leaf_hash


def first_place(book: str, stream: bytes) -> bytes:
    """Return the place of a stream's first event: its id, UUIDv5 of book and name, and version 1.

    A name without a slash is the id itself (`named_stream_id`). Raises ValueError for one that is neither.
    """
    if b"/" not in stream:
        return UUID(stream.decode()).bytes + _FIRST_VERSION
    digest = bytearray(sha1(book_namespace(book).bytes + stream, usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return bytes(digest) + _FIRST_VERSION


_EPOCH: Final = datetime(2000, 1, 1)  # noqa: DTZ001 # COPY counts in UTC from here
_EPOCH_DAY: Final = date(2000, 1, 1).toordinal()


class CheckedRows(NamedTuple):
    """What a chunk's rows came to."""

    leaf_hashes: Sequence[bytes]
    streams_begun: int
    last_sealed_at: int
    """Microseconds since the year 2000."""
    fault: NotVerified | None = None
    """What is wrong with the row after those whose leaf hashes are given."""


def check_rows(  # a leaf has so many fields
    book: str, rows: Iterable[FastRow], first: int, last_sealed_at: int, heads: Heads
) -> CheckedRows:
    """Check rows from position `first` on; `heads` moves with them. Raises Differs."""
    quote = encode_basestring
    named = f'","book":{quote(book)},'
    position, begun = first - 1, 0
    leaf_hashes: list[bytes] = []
    try:
        for (
            row_position, sealed_at, stream_id, version, schema_version, ordinal, effective_on, occurred,
            recorded_at, event_id, correlation_id, uncaused, causation_id,
            stream, type_name, actor, command_id, payload, leaf, leaf_hash, sealed_hash,
        ) in rows:  # fmt: skip
            position += 1
            prev = heads.get(stream)
            if prev is None:
                begun += 1
                chained, follows = "", first_place(book, stream)
            else:
                chained, follows = f'"prev":"{prev[20:].hex()}",', prev[:20]
            made = (
                f'{{"actor":{quote(actor.decode())},"at":"{_instant(occurred)}{named}'
                + ("" if uncaused else f'"causation_id":"{_uuid(causation_id)}",')
                + f'"command_id":{quote(command_id.decode())},"correlation_id":"{_uuid(correlation_id)}",'
                f'"effective_on":"{_day(effective_on)}","event_id":"{_uuid(event_id)}","ordinal":{ordinal},'
                f'"payload_sha256":"{sha256(payload).hexdigest()}",{chained}'
                f'"recorded_at":"{_instant(recorded_at)}","schema_version":{schema_version},'
                f'"stream":{quote(stream.decode())},"type":{quote(type_name.decode())},"v":1,"version":{version}}}'
            ).encode()
            hashed = sha256(b"\x00" + made).digest()
            if not (
                made == leaf
                and hashed == leaf_hash == sealed_hash
                and row_position == position
                and sealed_at >= last_sealed_at
                and follows == stream_id + version.to_bytes(4, "big")
            ):
                raise Differs
            last_sealed_at = sealed_at
            heads[stream] = stream_id + (version + 1).to_bytes(4, "big") + hashed
            leaf_hashes.append(hashed)
    except (ValueError, OverflowError) as error:
        raise Differs from error
    return CheckedRows(leaf_hashes, begun, last_sealed_at)


@lru_cache(maxsize=4_096)
def _instant(microseconds: int) -> str:
    """Write an instant as the leaf spells it, less its closing quotation mark."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds") + "Z"


@lru_cache(maxsize=4_096)
def _day(days: int) -> str:
    return date.fromordinal(_EPOCH_DAY + days).isoformat()


def _uuid(raw: bytes) -> str:
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
