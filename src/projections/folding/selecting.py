"""The one way in which every view is queried: its source, its conditions, its order."""

from collections.abc import Mapping

from psycopg2.extras import RealDictCursor

from ledger.store.pool import Connection
from projections.folding.paging import Paged
from projections.folding.rows import Source
from projections.folding.view import Table


def select(
    connection: Connection, sql: str, table: Table, source: Source, asked: Mapping[str, object]
) -> list[dict[str, object]]:
    """Run a view's query over the rows of a source, which stands in it as `{found}`."""
    found, parameters = source.found(table)
    if isinstance(source, Paged):
        sql = source.paged(sql)
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(sql.format(found=found), parameters | dict(asked))
        rows = [dict(row) for row in cursor]
    if isinstance(source, Paged):
        source.take_places(rows)
    return rows
