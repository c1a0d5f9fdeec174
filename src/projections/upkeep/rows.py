"""Every row of a view with its whole history, as its table holds it."""

from collections.abc import Iterator
from typing import Any, Final

from ledger.store.pool import Connection
from projections.folding.generations import live
from projections.folding.view import Row, View

NO_GENERATION: Final = 0
"""Of a view that has not followed the feed yet: it has no rows."""

Version = tuple[int, int | None, Row]
"""From which position, until which (None: it stands now), and the row."""


def live_generation(connection: Connection, book: str, view: str) -> int:
    """Give the number of the generation that is read."""
    standing = live(connection, book, view)
    return NO_GENERATION if standing is None else standing.generation


def rows_of(connection: Connection, book: str, generation: int, view: View[Any]) -> Iterator[Version]:
    """Give all row versions of one generation, in no order."""
    columns = ", ".join(view.table.columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"select from_position, to_position, {columns} from {view.table.name}"  # noqa: S608  # names are constants
            " where book = %s and generation = %s",
            (book, generation),
        )
        for from_position, to_position, *row in cursor:
            yield from_position, to_position, tuple(row)
