"""The one way in which every view is queried: its source, its conditions, its order."""

from collections.abc import Mapping

from psycopg2.extras import RealDictCursor

from ledger.store.pool import Connection
from projections.folding.rows import Source
from projections.folding.view import Table


def select(
    connection: Connection, sql: str, table: Table, source: Source, asked: Mapping[str, object]
) -> list[dict[str, object]]:
    """Run a view's query over the rows of a source, which stands in it as `{found}`."""
    found, parameters = source.found(table)
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(sql.format(found=found), parameters | dict(asked))
        return [dict(row) for row in cursor]
