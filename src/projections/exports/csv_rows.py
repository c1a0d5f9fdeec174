"""CSV by RFC 4180, in UTF-8: one heading line, then a line a row.

A text that a spreadsheet would run as a formula is written with an apostrophe before it, so that opening
the file runs nothing (CWE-1236). Numbers and dates are never texts and stand as they are.
"""

import csv
import io
from collections.abc import Iterator

from projections.exports.sheet import Row, Rows, Sheet

MEDIA_TYPE = "text/csv; charset=utf-8"

ROWS_A_CHUNK = 500

_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters that make a spreadsheet take a text for a formula, their full-width forms too."""


def csv_chunks(rows: Rows, sheet: Sheet) -> Iterator[bytes]:
    """Write rows as CSV, some at a time: the heading comes first, even if there is no row."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(sheet.names)
    for count, row in enumerate(rows, 1):
        writer.writerow(_cells(row, sheet))
        if count % ROWS_A_CHUNK == 0:
            yield _taken(written)
    yield _taken(written)


def harmless(text: str) -> str:
    """Give a text that no spreadsheet runs: an apostrophe goes before one that begins like a formula."""
    # Spreadsheets pass over leading blanks, and then look whether a formula begins.
    begins = text.lstrip(" \u00a0")
    return f"'{text}" if begins.startswith(_RUNS) else text


def _cells(row: Row, sheet: Sheet) -> list[object]:
    return [_cell(row.get(name)) for name in sheet.names]


def _cell(value: object) -> object:
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, bool):
        return str(value).lower()
    isoformat = getattr(value, "isoformat", None)
    return value if isoformat is None else isoformat()


def _taken(written: io.StringIO) -> bytes:
    text = written.getvalue()
    written.seek(0)
    written.truncate()
    return text.encode()
