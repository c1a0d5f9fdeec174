"""The newest leaf of each stream, as the log goes by: a bounded number in memory, the others looked up.

A head is kept as 52 bytes: id of the stream and the next version (the place that must follow), and the
leaf hash that it must name.
"""

from collections.abc import Callable, Sequence
from hashlib import sha1
from itertools import islice
from typing import Final
from uuid import UUID

from ledger.feed.verification.sent_rows import FastRow
from ledger.store.canonical import book_namespace
from ledger.store.pool import Connection

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
        """Let go of what is beyond the bound."""
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
    """Give the place of a stream's first event: its id, UUIDv5 of book and name, and version 1."""
    digest = bytearray(sha1(book_namespace(book).bytes + stream, usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return bytes(digest) + _FIRST_VERSION
