"""The one way in which every view is queried: its source, its conditions, its order."""

from collections.abc import Generator, Mapping
from itertools import count

from ledger.store.pool import Connection, DictCursor
from projections.folding.paging import Paged
from projections.folding.rows import Source
from projections.folding.view import Table

ROWS_AT_ONCE = 2_000

_numbers = count(1)


def select(
    connection: Connection, sql: str, table: Table, source: Source, asked: Mapping[str, object]
) -> list[dict[str, object]]:
    """Run a view's query over the rows of a source, which stands in it as `{found}`."""
    found, parameters = source.found(table)
    if isinstance(source, Paged):
        sql = source.paged(sql)
    with connection.cursor(cursor_factory=DictCursor) as cursor:
        cursor.execute(sql.format(found=found), parameters | dict(asked))
        rows = [dict(row) for row in cursor]
    if isinstance(source, Paged):
        source.take_places(rows)
    return rows


def select_each(
    connection: Connection, sql: str, table: Table, source: Source, asked: Mapping[str, object]
) -> Generator[dict[str, object], None, None]:
    """Run a view's query and give its rows some at a time, so that memory does not grow with them.

    The transaction must stay open until the last one is taken, or until this is closed.
    """
    found, parameters = source.found(table)
    with connection.cursor(f"rows_{next(_numbers)}", cursor_factory=DictCursor) as cursor:
        cursor.execute(sql.format(found=found), parameters | dict(asked))
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            for row in rows:
                yield dict(row)
