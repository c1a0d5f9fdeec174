"""Parquet, as analysts' tools read it: cents as 64-bit integers, dates as dates, instants in UTC."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import IO, Any

from projections.exports.extra import needed
from projections.exports.sheet import Kind, Row, Rows, Sheet

MEDIA_TYPE = "application/vnd.apache.parquet"

ROWS_A_GROUP = 10_000
"""Rows held in memory at once, twice over while the next are read."""


def write_parquet(rows: Rows, sheet: Sheet, file: IO[bytes]) -> int:
    """Write rows as a Parquet file; their number. Raises `Rejected` where `pyarrow` is not installed."""
    arrow, parquet = needed("pyarrow", "Parquet"), needed("pyarrow.parquet", "Parquet")
    schema = arrow.schema([(column.name, _arrow_type(arrow, column.kind)) for column in sheet.columns])
    count = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for group in _groups(rows):
            columns = [arrow.array([row.get(field.name) for row in group], field.type) for field in schema]
            writer.write_table(arrow.Table.from_arrays(columns, schema=schema))
            count += len(group)
    return count


def _groups(rows: Rows) -> Iterator[Sequence[Row]]:
    coming = iter(rows)
    while group := list(islice(coming, ROWS_A_GROUP)):
        yield group


def _arrow_type(arrow: Any, kind: Kind) -> object:  # noqa: ANN401  # pyarrow has no types
    match kind:
        case "text":
            return arrow.string()
        case "integer":
            return arrow.int64()
        case "truth":
            return arrow.bool_()
        case "date":
            return arrow.date32()
        case "instant":
            return arrow.timestamp("us", tz="UTC")
