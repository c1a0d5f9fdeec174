"""The stored nodes of the Merkle tree against those that the log's leaves make.

`ledger.log_nodes` holds exactly the complete nodes above the leaves: level 0 is `ledger.log` itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ledger.feed.proofs.merkle import HASH_BYTES
from ledger.feed.verification.fault import NotVerified
from ledger.store.pool import Connection

# A level's hashes come as one string, which is compared at once. They all have one length, or none is given.
_LEVELS: Final = """
select n.level, n.first, (
    select case when bool_and(octet_length(s.hash) = 32)
        then string_agg(s.hash, ''::bytea order by s.index) end
    from ledger.log_nodes s
    where s.book = %s and s.level = n.level and s.index >= n.first and s.index < n.after
)
from unnest(%s::smallint[], %s::bigint[], %s::bigint[]) as n (level, first, after)
"""
_ONE_BY_ONE: Final = """
select index, hash from ledger.log_nodes where book = %s and level = %s and index >= %s and index < %s
"""
_COUNT: Final = "select count(*) from ledger.log_nodes where book = %s"
_STRAY: Final = """
select level, index from ledger.log_nodes
where book = %(book)s and (level < 1 or level > 62 or index < 0 or index >= %(size)s::bigint >> level)
order by level, index limit 1
"""


class StoredLevel(NamedTuple):
    """Stored nodes of one level, from `first` on; None where one has not 32 bytes, or none is there."""

    level: int
    first: int
    hashes: bytes | None


class GrownLevels:
    """The nodes that one portion of the log completes, level by level, as they are recomputed."""

    def __init__(self) -> None:
        """Begin with none."""
        self._first: dict[int, int] = {}
        self._hashes: defaultdict[int, list[bytes]] = defaultdict(list)

    def take(self, rows: Iterable[tuple[int, int, Sequence[bytes]]]) -> None:
        """Take what `Frontier.grow` completes, to the end; leaves are passed over."""
        for level, first, row in rows:
            if level:
                self._first.setdefault(level, first)
                self._hashes[level] += row

    def differing(self, stored: Iterable[StoredLevel]) -> list[int]:
        """Name the levels whose stored nodes do not begin with these."""
        found = {level: hashes or b"" for level, _, hashes in stored}
        return [
            level
            for level, hashes in sorted(self._hashes.items())
            if not found.get(level, b"").startswith(b"".join(hashes))
        ]

    def expected(self, level: int) -> tuple[int, Sequence[bytes]]:
        """Give a level's first node and its hashes."""
        return self._first[level], self._hashes[level]


def stored_levels(connection: Connection, book: str, first: int, end: int) -> list[StoredLevel]:
    """Read the stored nodes that a log which grows from `first` to `end` leaves completes."""
    levels = [level for level in range(1, end.bit_length()) if end >> level > first >> level]
    if not levels:
        return []
    firsts, afters = ([size >> level for level in levels] for size in (first, end))
    with connection.cursor() as cursor:
        cursor.execute(_LEVELS, (book, levels, firsts, afters))
        return [
            StoredLevel(level, number, None if hashes is None else bytes(hashes))
            for level, number, hashes in cursor.fetchall()
        ]


def first_bad_node(
    connection: Connection, book: str, grown: GrownLevels, levels: Sequence[int]
) -> NotVerified:
    """Say which node is the first that differs, leaving out those that differ because one below them does."""
    faults: list[NotVerified] = []
    below: set[int] = set()
    for level in range(1, max(levels) + 1):
        found = _faults_of_level(connection, book, level, *grown.expected(level)) if level in levels else {}
        above = {index >> 1 for index in below}
        faults += [fault for index, fault in found.items() if index not in above]
        below = above | found.keys()
    return min(faults, key=lambda fault: fault.position or 0)


def check_no_other_nodes(connection: Connection, book: str, size: int) -> None:
    """Refuse nodes that a log of `size` leaves has not; the others were compared. Raises NotVerified."""
    expected = sum(size >> level for level in range(1, size.bit_length()))
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, (book,))
        [(count,)] = cursor.fetchall()
        if count == expected:
            return
        cursor.execute(_STRAY, {"book": book, "size": size})
        stray = cursor.fetchone()
    if stray is None:
        message = f"it has {count} rows instead of the {expected} of a log of {size} events"
        raise NotVerified(None, "ledger.log_nodes", message)
    row = f"ledger.log_nodes, level {stray[0]}, index {stray[1]}"
    raise NotVerified(None, row, f"a log of {size} events has no such complete node: it was put in")


def _faults_of_level(
    connection: Connection, book: str, level: int, first: int, hashes: Sequence[bytes]
) -> dict[int, NotVerified]:
    """Give what is wrong with the nodes of one level, by their index."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_BY_ONE, (book, level, first, first + len(hashes)))
        stored = {index: bytes(kept) for index, kept in cursor.fetchall()}
    return {
        index: _fault(level, index, stored.get(index))
        for index, made in enumerate(hashes, first)
        if stored.get(index) != made
    }


def _fault(level: int, index: int, stored: bytes | None) -> NotVerified:
    covers = f"positions {index << level} to {((index + 1) << level) - 1}"
    if stored is None:
        reason = f"this node over {covers} is missing"
    elif len(stored) != HASH_BYTES:
        reason = f"this node over {covers} has {len(stored)} bytes instead of {HASH_BYTES}"
    else:
        reason = f"this node is not the hash of {covers}: it, or what stands there, was altered"
    return NotVerified(index << level, f"ledger.log_nodes, level {level}, index {index}", reason)
