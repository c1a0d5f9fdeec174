"""Nodes of the Merkle log: complete ones only, level 0 being the leaf hashes of `ledger.log`."""

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Final

from ledger.store.pool import Connection

# One probe of a key a node, whatever the statistics say.
_SELECT: Final = """
select case when wanted.level = 0
    then (select leaf_hash from ledger.log where book = %(book)s and position = wanted.number)
    else (select hash from ledger.log_nodes
          where book = %(book)s and level = wanted.level and index = wanted.number)
    end
from unnest(%(levels)s::smallint[], %(numbers)s::bigint[]) with ordinality as wanted (level, number, place)
order by wanted.place
"""
_COVERED: Final = """
select index from ledger.log_nodes where book = %s and level = 1 order by index desc limit 1
"""
_LEAVES: Final = """
select leaf_hash from ledger.log where book = %s and position >= %s and position < %s order by position
"""
_ENTRIES: Final = """
select e.leaf from ledger.log l
join ledger.events e on e.book = l.book and e.stream_id = l.stream_id and e.version = l.version
where l.book = %s and l.position >= %s and l.position < %s order by l.position
"""
_COPY: Final = "copy ledger.log_nodes (book, level, index, hash) from stdin"

_COPY_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_PAGE_LEAVES: Final = 10_000


def select_nodes(connection: Connection, book: str, nodes: Sequence[tuple[int, int]]) -> list[bytes]:
    """Read the hashes of nodes (level, number), in the order asked for; what is not stored is left out."""
    wanted = {
        "book": book,
        "levels": [level for level, _ in nodes],
        "numbers": [number for _, number in nodes],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SELECT, wanted)
        return [bytes(found) for (found,) in cursor.fetchall() if found is not None]


def nodes_cover(connection: Connection, book: str) -> int:
    """Count the leaves whose complete nodes are stored: an even number, for an odd leaf completes none."""
    with connection.cursor() as cursor:
        cursor.execute(_COVERED, (book,))
        found = cursor.fetchone()
    return 2 * (int(found[0]) + 1) if found else 0


def select_leaf_hashes(connection: Connection, book: str, start: int, end: int) -> Iterator[list[bytes]]:
    """Read the leaf hashes of positions [start, end), page by page."""
    while start < end:
        until = min(start + _PAGE_LEAVES, end)
        with connection.cursor() as cursor:
            cursor.execute(_LEAVES, (book, start, until))
            yield [bytes(leaf) for (leaf,) in cursor.fetchall()]
        start = until


def select_leaves(connection: Connection, book: str, start: int, end: int) -> list[bytes]:
    """Read the leaves themselves, the log's entries, of positions [start, end)."""
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, (book, start, end))
        return [bytes(leaf) for (leaf,) in cursor.fetchall()]


def insert_nodes(connection: Connection, book: str, rows: Iterable[tuple[int, int, Sequence[bytes]]]) -> None:
    """Store nodes in one statement: each row is (level, number of the first, hashes one beside the other)."""
    lead, lines = book.translate(_COPY_ESCAPES), StringIO()
    for level, first, hashes in rows:
        for number, node in enumerate(hashes, first):
            lines.write(f"{lead}\t{level}\t{number}\t\\\\x{node.hex()}\n")
    if lines.tell():
        lines.seek(0)
        with connection.cursor() as cursor:
            cursor.copy_expert(_COPY, lines)
