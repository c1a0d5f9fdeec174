"""The log: epochs of its keys, nodes of its tree, and heads."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from io import StringIO
from typing import Final, NamedTuple

from ledger.store.errors import BookUnknown
from ledger.store.pool import Connection
from ledger.store.sql import compose

_SELECT_EPOCHS: Final = """
select epoch, origin, from_position, begun_at, because, lost_size, lost_root
from ledger.epochs where book = %s order by epoch
"""
_INSERT_EPOCH: Final = """
insert into ledger.epochs (book, epoch, origin, from_position, begun_at, because, lost_size, lost_root)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (book, epoch) do nothing
"""
_ENTER: Final = "update ledger.books set epoch = %s, origin = %s where book = %s"


_NOW: Final = "select clock_timestamp()"
_TRANSACTION_TIME: Final = "select now()"


class Epoch(NamedTuple):
    """One epoch of a book's log: from where on it may hold other events than the epochs before it."""

    epoch: int
    origin: str
    from_position: int
    begun_at: datetime
    because: str
    lost_size: int | None = None
    lost_root: bytes | None = None


def select_epochs(connection: Connection, book: str) -> list[Epoch]:
    """Read all epochs of a book, the first one first."""
    with connection.cursor() as cursor:
        cursor.execute(_SELECT_EPOCHS, (book,))
        return [
            Epoch._make(
                (*row[:3], row[3].astimezone(UTC), *row[4:6], None if row[6] is None else bytes(row[6]))
            )
            for row in cursor.fetchall()
        ]


def database_now(connection: Connection) -> datetime:
    """Read the database's time, UTC."""
    with connection.cursor() as cursor:
        cursor.execute(_NOW)
        now: datetime
        [(now,)] = cursor.fetchall()
    return now.astimezone(UTC)


def transaction_time(connection: Connection) -> datetime:
    """Read when the database began the present transaction, UTC."""
    with connection.cursor() as cursor:
        cursor.execute(_TRANSACTION_TIME)
        now: datetime
        [(now,)] = cursor.fetchall()
    return now.astimezone(UTC)


def insert_epoch(connection: Connection, book: str, epoch: Epoch) -> None:
    """Add an epoch; one that is there already stays as it is."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_EPOCH, (book, *epoch))


def enter_epoch(connection: Connection, book: str, epoch: Epoch) -> None:
    """Make an epoch the present one of its book."""
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, (epoch.epoch, epoch.origin, book))


# One probe of a key a node, whatever the statistics say.
_SELECT_NODES: Final = """
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
        cursor.execute(_SELECT_NODES, wanted)
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


NOTE: Final = """
c.note || coalesce((
    select string_agg(
        '— ' || s.name || ' ' || translate(encode(s.key_id || s.signature, 'base64'), E'\\n', '') || E'\\n',
        '' order by s.added_at, s.name, s.key_id
    )
    from ledger.head_signatures s where s.book = c.book and s.epoch = c.epoch and s.size = c.size
), '')
"""
"""A head of `ledger.checkpoints c` with all signature lines, those that it got later after its own."""

_LOCK: Final = "select from ledger.books where book = %s for no key update"

_STANDING: Final = compose(
    """
select b.epoch, b.origin, coalesce(l.position + 1, 0), c.size, c.note
from ledger.books b
left join lateral (
    select position from ledger.log where book = b.book order by position desc limit 1
) as l on true
left join lateral (
    select c.size, {note} as note from ledger.checkpoints c
    where c.book = b.book and c.epoch = b.epoch order by c.size desc limit 1
) as c on true
where b.book = %s
""",
    note=NOTE,
)

_INSERT_HEAD: Final = """
insert into ledger.checkpoints (book, epoch, size, root, note, signed_at)
values (%s, %s, %s, %s, %s, clock_timestamp())
"""

_NEWEST: Final = compose(
    """
select c.size, {note} from ledger.checkpoints c
join ledger.books b using (book, epoch)
where c.book = %s order by c.size desc limit 1
""",
    note=NOTE,
)

_BELOW: Final = compose(
    """
select c.size, c.root, {note} from ledger.checkpoints c
where c.book = %s and c.epoch = %s and c.size < %s order by c.size desc limit %s
""",
    note=NOTE,
)

_OF_SIZE: Final = compose(
    """
select {note} from ledger.checkpoints c where c.book = %s and c.epoch = %s and c.size = %s
""",
    note=NOTE,
)

_ADD_LINE: Final = """
insert into ledger.head_signatures (book, epoch, size, name, key_id, signature)
values (%s, %s, %s, %s, %s, %s) on conflict do nothing
"""

_ANY: Final = "select exists (select from ledger.checkpoints where book = %s)"

_PAGE_HEADS: Final = 100


class LogState(NamedTuple):
    """Where a book's log stands: its epoch, its size, and the newest head signed in that epoch."""

    epoch: int
    origin: str
    size: int
    signed_size: int | None
    signed: str | None
    """The newest signed head as it was written."""


class SignedHead(NamedTuple):
    """One head as it was signed in an epoch."""

    epoch: int
    size: int
    root: bytes
    note: str
    """As it was written, signatures and all."""


class SignatureLine(NamedTuple):
    """A signature under a head, added after it was signed."""

    name: str
    key_id: bytes
    signature: bytes


def lock_log(connection: Connection, book: str) -> None:
    """Lock a log against all who seal or sign, until the transaction ends. Raises BookUnknown."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, (book,))
        if cursor.fetchone() is None:
            raise BookUnknown(book)


def log_state(connection: Connection, book: str) -> LogState:
    """Read where a book's log stands, in one picture. Raises BookUnknown."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, (book,))
        found = cursor.fetchone()
    if found is None:
        raise BookUnknown(book)
    return LogState._make(found)


def insert_checkpoint(connection: Connection, book: str, signed: SignedHead) -> None:
    """Add a signed head."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_HEAD, (book, *signed))


def insert_head_signature(
    connection: Connection, book: str, epoch: int, size: int, line: SignatureLine
) -> None:
    """Add a signature line to a head that is signed already; the first of a key stays."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD_LINE, (book, epoch, size, *line))


def newest_checkpoint(connection: Connection, book: str) -> str | None:
    """Read the newest signed head of the book's present epoch; None before the first."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, (book,))
        found = cursor.fetchone()
    return None if found is None else str(found[1])


def checkpoint_of(connection: Connection, book: str, epoch: int, size: int) -> str | None:
    """Read the head of an epoch and size, with all its signature lines."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_SIZE, (book, epoch, size))
        found = cursor.fetchone()
    return None if found is None else str(found[0])


def signed_heads_below(
    connection: Connection, book: str, epoch: int, size: int
) -> Iterator[tuple[int, bytes, str]]:
    """Yield size, root and note of each head of an epoch below a size, the largest first."""
    page = None
    while page is None or page:
        with connection.cursor() as cursor:
            cursor.execute(_BELOW, (book, epoch, size, _PAGE_HEADS))
            page = [(int(found), bytes(root), str(note)) for found, root, note in cursor.fetchall()]
        yield from page
        size = page[-1][0] if page else 0


def any_checkpoint(connection: Connection, book: str) -> bool:
    """Return whether a head of this book was ever signed, in any epoch."""
    with connection.cursor() as cursor:
        cursor.execute(_ANY, (book,))
        return cursor.fetchone() == (True,)
