"""Lists as CSV and XLSX files: all rows at one position, read page by page, so that no connection is held."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from starlette.responses import StreamingResponse

from ledger.app import App
from ledger.errors import Rejected
from ledger.feed.reader import Cursor
from ledger.http.openapi_responses import POSITION
from ledger.http.problems import Problem
from projections.exports.sent import WAYS
from projections.exports.sheet import Row, Rows
from projections.http.lists import List
from projections.http.reading import Time, reading

PAGE_ROWS: Final = 1_000


def download(listed: List, end: str, rows: Rows, position: Cursor) -> StreamingResponse:
    """Send a whole list as a file, its rows as they stand at a position.

    A workbook is made before its first byte is sent. Raises Problem where it cannot be made.
    """
    way = WAYS[end]
    try:
        content = way.write(rows, listed.sheet)
    except Rejected as error:
        raise Problem("INVALID", str(error)) from error
    stands = str(position).replace(":", "-")
    headers = {
        "Content-Disposition": f'attachment; filename="{listed.name}-{stands}.{end}"',
        POSITION: str(position),
    }
    return StreamingResponse(content, media_type=way.media_type, headers=headers)


def rows_by_pages(wiring: App, listed: List, filters: object, time: Time, position: Cursor) -> Iterator[Row]:
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
