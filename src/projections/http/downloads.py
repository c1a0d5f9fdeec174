"""Lists as CSV and XLSX files: all rows at one position, read page by page, so that no connection is held."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from starlette.responses import StreamingResponse

from ledger.http.described import POSITION
from ledger.wiring import Wiring
from projections.exports import csv_rows, workbook
from projections.exports.sheet import Row, Rows, Sheet
from projections.http.lists import List
from projections.http.reading import Time, reading

PAGE_ROWS: Final = 1_000

Write = Callable[[Rows, Sheet], Iterator[bytes]]

FORMS: Final[dict[str, tuple[str, Write]]] = {
    "csv": (csv_rows.MEDIA_TYPE, csv_rows.csv_chunks),
    "xlsx": (workbook.MEDIA_TYPE, workbook.workbook_chunks),
}
"""The end of an address → its media type, and what writes it."""


def download(listed: List, end: str, rows: Rows, position: int) -> StreamingResponse:
    """Send a whole list as a file, its rows as they stand at a position."""
    media_type, write = FORMS[end]
    headers = {
        "Content-Disposition": f'attachment; filename="{listed.name}-{position}.{end}"',
        POSITION: str(position),
    }
    return StreamingResponse(write(rows, listed.sheet), media_type=media_type, headers=headers)


def rows_by_pages(wiring: Wiring, listed: List, filters: object, time: Time, position: int) -> Iterator[Row]:
    """Give all rows of a list as they stand at a position, read page by page."""
    after, time = None, replace(time, as_of=position)
    while True:
        with reading(wiring, listed.views, time) as reader:
            reader.listed, reader.after, reader.limit = listed, after, PAGE_ROWS
            rows = listed.ask(reader, filters)
            paged = reader.paged
        yield from rows
        if paged is None or len(rows) < PAGE_ROWS:
            return
        after = paged.places[-1]
