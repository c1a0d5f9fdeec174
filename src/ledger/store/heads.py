"""The log's heads in the database: how far it is, what was signed last, and the next signed head."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from ledger.store.errors import BookUnknown
from ledger.store.pool import Connection

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

_STANDING: Final = f"""
select b.epoch, b.origin, coalesce(l.position + 1, 0), c.size, c.note
from ledger.books b
left join lateral (
    select position from ledger.log where book = b.book order by position desc limit 1
) as l on true
left join lateral (
    select c.size, {NOTE} as note from ledger.checkpoints c
    where c.book = b.book and c.epoch = b.epoch order by c.size desc limit 1
) as c on true
where b.book = %s
"""  # noqa: S608 # put together from its own constants

_INSERT: Final = """
insert into ledger.checkpoints (book, epoch, size, root, note, signed_at)
values (%s, %s, %s, %s, %s, clock_timestamp())
"""

_NEWEST: Final = f"""
select c.size, {NOTE} from ledger.checkpoints c
join ledger.books b using (book, epoch)
where c.book = %s order by c.size desc limit 1
"""  # noqa: S608 # as above

_BELOW: Final = f"""
select c.size, c.root, {NOTE} from ledger.checkpoints c
where c.book = %s and c.epoch = %s and c.size < %s order by c.size desc limit %s
"""  # noqa: S608 # as above

_OF_SIZE: Final = f"""
select {NOTE} from ledger.checkpoints c where c.book = %s and c.epoch = %s and c.size = %s
"""  # noqa: S608 # as above

_ADD_LINE: Final = """
insert into ledger.head_signatures (book, epoch, size, name, key_id, signature)
values (%s, %s, %s, %s, %s, %s) on conflict do nothing
"""

_ANY: Final = "select exists (select from ledger.checkpoints where book = %s)"

_PAGE_HEADS: Final = 100


class LogStanding(NamedTuple):
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


def log_standing(connection: Connection, book: str) -> LogStanding:
    """Read where a book's log stands, in one picture. Raises BookUnknown."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, (book,))
        found = cursor.fetchone()
    if found is None:
        raise BookUnknown(book)
    return LogStanding._make(found)


def insert_checkpoint(connection: Connection, book: str, signed: SignedHead) -> None:
    """Add a signed head."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, (book, *signed))


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
    """Give size, root and note of each head of an epoch below a size, the largest first."""
    page = None
    while page is None or page:
        with connection.cursor() as cursor:
            cursor.execute(_BELOW, (book, epoch, size, _PAGE_HEADS))
            page = [(int(found), bytes(root), str(note)) for found, root, note in cursor.fetchall()]
        yield from page
        size = page[-1][0] if page else 0


def any_checkpoint(connection: Connection, book: str) -> bool:
    """Say whether a head of this book was ever signed, in any epoch."""
    with connection.cursor() as cursor:
        cursor.execute(_ANY, (book,))
        return cursor.fetchone() == (True,)
