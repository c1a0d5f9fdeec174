"""The books' rows: created once, their clocks moved, their imports opened and closed."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID, uuid4

from ledger.store.errors import BookUnknown, ImportOpen
from ledger.store.loaded import BookRow, OpenImport
from ledger.store.loading import load
from ledger.store.pool import Connection, Pool

_CREATE: Final = """
with created as (
    insert into ledger.books (book, kind, origin, clock_at) values (%s, %s, %s, %s)
    on conflict (book) do nothing returning book, epoch, origin, created_at
)
insert into ledger.epochs (book, epoch, origin, from_position, begun_at, because)
select book, epoch, origin, 0, created_at, 'created' from created
"""
_TYPE_PREFIX: Final = "select event_type_prefix from ledger.books where book = %s"
_LIST: Final = "select book from ledger.books order by book"
_LOCK: Final = "select import_id::text from ledger.books where book = %s for update"
_SAME_IMPORT: Final = """
select import_id::text from ledger.imports where book = %s and import_id = %s and digest = %s
"""
_OPEN: Final = "insert into ledger.imports (book, import_id, digest) values (%s, %s, %s)"
_HOLD: Final = "update ledger.books set import_id = %s where book = %s"
_CLOSE: Final = """
update ledger.imports set closed_at = clock_timestamp(), outcome = %s
where book = %s and import_id = %s and outcome is null
"""
_FREE: Final = "update ledger.books set import_id = null, held_at = %s where book = %s and import_id = %s"
_MOVE_CLOCK: Final = """
update ledger.books set clock_at = greatest(clock_at, %s) where book = %s and kind = 'simulated'
"""
_HELD: Final = "update ledger.books set held_at = %s where book = %s"


class Books:
    """Rows of the books of one database."""

    def __init__(self, pool: Pool) -> None:
        """`pool` connects as the application."""
        self._pool = pool

    def create(
        self,
        book: str,
        *,
        kind: Literal["real", "simulated"] = "real",
        origin: str,
        clock_at: datetime | None = None,
    ) -> bool:
        """Create a book; False when it exists already, as it was. `clock_at`: a simulated book's present."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_CREATE, (book, kind, origin, clock_at))
            return cursor.rowcount == 1

    def names(self) -> list[str]:
        """Name all books, in order."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_LIST)
            return [name for (name,) in cursor.fetchall()]

    def row(self, book: str) -> BookRow:
        """Read a book's row. Raises BookUnknown."""
        with self._pool.connection() as connection:
            return load(connection, book, (), (), ()).book

    def event_type_prefix(self, book: str) -> str:
        """Read what the types of a book's CloudEvents begin with. Raises BookUnknown."""
        with self._pool.connection() as connection:
            return select_event_type_prefix(connection, book)

    def open_import(self, book: str, digest: bytes) -> OpenImport:
        """Open an import, or go on with the one of the same digest that is open.

        Raises ImportOpen when another import is open, and BookUnknown.
        """
        with self._pool.transaction() as connection, connection.cursor() as cursor:
            cursor.execute(_LOCK, (book,))
            held = cursor.fetchone()
            if held is None:
                raise BookUnknown(book)
            if held[0] is not None:
                cursor.execute(_SAME_IMPORT, (book, held[0], digest))
                if cursor.fetchone() is None:
                    raise ImportOpen(book)
            else:
                import_id = str(uuid4())
                cursor.execute(_OPEN, (book, import_id, digest))
                cursor.execute(_HOLD, (import_id, book))
            opened = load(connection, book, (), (), ()).book.open_import
        if opened is None:
            raise ImportOpen(book)
        return opened

    def finish_import(self, book: str, import_id: UUID, held_at: datetime | None = None) -> bool:
        """Close an import that is done. `held_at`: where it leaves a real book that ended in the past."""
        return self._close(book, import_id, "finished", held_at)

    def abandon_import(self, book: str, import_id: UUID) -> bool:
        """Give an open import up: what it recorded stays, the book is free again.

        False when it was closed before.
        """
        return self._close(book, import_id, "abandoned", None)

    def move_clock(self, book: str, to: datetime) -> None:
        """Move a simulated book's present; it never goes back."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_MOVE_CLOCK, (to, book))

    def hold(self, book: str, held_at: datetime | None) -> None:
        """Hold the background sweep at an instant, or let it go (None)."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_HELD, (held_at, book))

    def _close(self, book: str, import_id: UUID, outcome: str, held_at: datetime | None) -> bool:
        with self._pool.transaction() as connection, connection.cursor() as cursor:
            cursor.execute(_LOCK, (book,))
            cursor.execute(_CLOSE, (outcome, book, str(import_id)))
            closed = cursor.rowcount == 1
            if closed:
                cursor.execute(_FREE, (held_at, book, str(import_id)))
            return closed


def select_event_type_prefix(connection: Connection, book: str) -> str:
    """Read what the types of a book's CloudEvents begin with. Raises BookUnknown."""
    with connection.cursor() as cursor:
        cursor.execute(_TYPE_PREFIX, (book,))
        row = cursor.fetchone()
    if row is None:
        raise BookUnknown(book)
    return str(row[0])
