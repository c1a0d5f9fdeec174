"""CSV by RFC 4180, in UTF-8: one heading line, then a line a row.

Amounts are in euro with two decimals, and their columns say nothing of cents: `loss`, where JSON has
`loss_cents`. So `coverledger import` reads them.

A text that a spreadsheet would run as a formula is written with an apostrophe before it, so that opening
the file runs nothing (CWE-1236). Numbers and dates are never texts and stand as they are, and so does a
structured communication, `+++090/9337/55493+++`, which is no formula.
"""

import csv
import io
from collections.abc import Iterator

from ledger.domain.money import is_structured
from projections.exports.sheet import Row, Rows, Sheet

MEDIA_TYPE = "text/csv; charset=utf-8"

ROWS_A_CHUNK = 500

_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters that make a spreadsheet take a text for a formula, their full-width forms too."""


def csv_chunks(rows: Rows, sheet: Sheet) -> Iterator[bytes]:
    """Write rows as CSV, some at a time: the heading comes first, even if there is no row."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([column.name_in_euro for column in sheet.columns])
    for count, row in enumerate(rows, 1):
        writer.writerow(_cells(row, sheet))
        if count % ROWS_A_CHUNK == 0:
            yield _taken(written)
    yield _taken(written)


def harmless(text: str) -> str:
    """Give a text that no spreadsheet runs: an apostrophe goes before one that begins like a formula."""
    if is_structured(text):
        return text
    # Spreadsheets pass over leading blanks, and then look whether a formula begins.
    begins = text.lstrip(" \u00a0")
    return f"'{text}" if begins.startswith(_RUNS) else text


def _cells(row: Row, sheet: Sheet) -> list[object]:
    return [
        _euro(row.get(column.name)) if column.is_cents else _cell(row.get(column.name))
        for column in sheet.columns
    ]


def _euro(cents: object) -> object:
    if not isinstance(cents, int):
        return cents
    whole, hundredths = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{hundredths:02}"


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
