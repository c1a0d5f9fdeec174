"""The routes of lists and reports: by pages as JSON, whole as CSV and XLSX, due dates as a calendar too."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from ledger.app import App
from ledger.auth.roles import Caller
from ledger.clock import BEGINNING, present
from ledger.domain.calendar import brussels_date
from ledger.http.callers import needs, needs_in_address
from ledger.http.openapi_responses import POSITION, POSITION_HEADER, described
from ledger.http.parameters import tagged
from ledger.http.problems import Problem
from ledger.http.state import PREFIX, Book, wiring_of
from projections.exports import due_calendar
from projections.exports.files import SENT_FORMATS
from projections.http.lists import filters_of, operation_of, path_of, row_schema
from projections.http.reader import PagedReader, RequestedTime, Time, download, read, rows_by_pages
from projections.listing import Filters, Listing
from projections.queries.questions import Answer, list_calendar, rows_of
from projections.queries.reader import Reader, plain_json, sealed_at
from projections.queries.reports import by_guarantee, reported_until
from projections.runner.rows import PageKey
from projections.views.bordereau import LISTED as BORDEREAU
from projections.views.due import LISTED as DUE
from projections.views.guarantees import LISTED as GUARANTEES
from projections.views.registry import LISTINGS


def rows_asked(reader: Reader, listing: Listing, filters: Filters) -> list[Answer]:
    """Return a list's rows; a bordereau's month, unless asked for, is the last that the report knows of."""
    if listing is GUARANTEES:
        return by_guarantee(reader, _until(reader), filters.guarantee, filters.year)
    if listing is BORDEREAU and filters.month is None:
        filters = replace(filters, month=_until(reader).replace(day=1))
    return rows_of(reader, listing, filters)


def _until(reader: Reader) -> date:
    """Return the last day that the report knows of."""
    return reported_until(reader, reader.as_of if isinstance(reader, PagedReader) else None)


MOST_ROWS: Final = 1_000

NEXT: Final = {"Link": {"description": 'rel="next"', "schema": {"type": "string"}}}

_PLACE: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18}){0,3}", re.ASCII)

Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows at most.")]


def routes(_wiring: App) -> APIRouter:
    """Return the routes of the lists."""
    router = APIRouter(prefix=PREFIX, tags=["views"])
    for listing in LISTINGS.values():
        _add(router, listing)
    router.get(
        "/due.ics",
        summary="Due dates as a calendar to subscribe to",
        operation_id="due_calendar",
        response_model=None,
        responses=described(
            {200: {"content": {"text/calendar": {"schema": {"type": "string"}}}}}, 404, 410, 422, 503
        ),
    )(calendar)
    return router


def _add(router: APIRouter, listing: Listing) -> None:
    rows = {"type": "array", "items": row_schema(listing)}
    router.get(
        path_of(listing),
        summary=listing.summary,
        operation_id=f"list_{operation_of(listing)}",
        response_model=None,
        responses=described(
            {
                200: {
                    "description": 'A page; `Link: rel="next"` leads to the next one',
                    "content": {"application/json": {"schema": rows}},
                    "headers": POSITION_HEADER | NEXT,
                }
            },
            *(404, 410, 422, 503),
        ),
    )(_page(listing))
    for end, way in SENT_FORMATS.items():
        router.get(
            f"{path_of(listing)}.{end}",
            summary=f"{listing.summary}, all of them as {end.upper()}",
            operation_id=f"download_{operation_of(listing)}_{end}",
            response_model=None,
            responses=described(
                {
                    200: {
                        "content": {way.media_type.partition(";")[0]: {"schema": {"type": "string"}}},
                        "headers": POSITION_HEADER,
                    }
                },
                *(404, 410, 422, 503),
            ),
        )(_file(listing, end))


def _page(listing: Listing) -> Callable[..., Any]:
    async def page(  # a parameter each
        request: Request,
        _book: Book,
        caller: Annotated[Caller, needs("read")],
        time: RequestedTime,
        filters: Annotated[Filters, Depends(filters_of(listing))],
        limit: Limit = 100 if listing.order else MOST_ROWS,
        after: _after(listing) = None,  # type: ignore[valid-type]  # an annotation made for the list
    ) -> Response:
        place = _place(after, listing)

        def ask(reader: PagedReader) -> tuple[list[dict[str, object]], PageKey | None]:
            # One row more than the page says whether there is a next one.
            reader.listing, reader.after, reader.limit = listing, place, limit + 1
            rows = rows_asked(reader, listing, filters)
            if reader.paged is None:  # They came whole: a place is a number of rows.
                begin = 0 if place is None else place[0]
                end = begin + limit
                return rows[begin:end], None if len(rows) <= end else (end, *(0 for _ in listing.order[1:]))
            more = len(rows) > limit
            return rows[:limit], reader.paged.places[limit - 1] if more else None

        (rows, last), position = await read(request, caller, listing.views, time, ask)
        headers = {POSITION: str(position)}
        if last is not None:
            link = request.url.include_query_params(after=".".join(map(str, last)))
            if listing.order:
                # A report that reaches to the present day would, as of a position, reach to that one's.
                link = link.include_query_params(as_of=str(position))
            link = link.remove_query_params(["min_position", "min_command"])
            headers["Link"] = f'<{link.path}?{link.query}>; rel="next"'
        return JSONResponse(plain_json(rows), headers=headers)

    page.__doc__ = f"{listing.summary}: a page of them. Its next ones stand for the same position."
    return page


def _file(listing: Listing, end: str) -> Callable[..., Any]:
    async def file(
        request: Request,
        _book: Book,
        caller: Annotated[Caller, needs("read")],
        time: RequestedTime,
        filters: Annotated[Filters, Depends(filters_of(listing))],
    ) -> Response:
        if not listing.order:
            whole, position = await read(
                request, caller, listing.views, time, lambda reader: rows_asked(reader, listing, filters)
            )
            return await run_in_threadpool(download, listing, end, whole, position)
        _, position = await read(request, caller, listing.views, time, lambda reader: reader.position)
        rows = rows_by_pages(wiring_of(request), listing, filters, time, position, rows_asked)
        return await run_in_threadpool(download, listing, end, rows, position)

    file.__doc__ = f"{listing.summary}, as they stand at one position."
    return file


def _after(listing: Listing) -> Any:  # noqa: ANN401  # an annotation
    place = "[0-9]{1,15}"
    return Annotated[
        str | None,
        Query(
            max_length=80,
            description="Where the page before ended, as its `next` link says.",
            json_schema_extra={"pattern": f"^{place}(\\.{place}){{{_parts(listing) - 1}}}$"},
        ),
    ]


def _parts(listing: Listing) -> int:
    """Count the parts of a place in a list; in one that comes whole it is a number of rows."""
    return max(1, len(listing.order))


def _place(after: str | None, listing: Listing) -> PageKey | None:
    """Read where the page before ended. Raises Problem."""
    if after is None:
        return None
    place = tuple(map(int, after.split("."))) if _PLACE.fullmatch(after) else ()
    if len(place) != _parts(listing):
        message = f"after: {after[:40]!r} is no place in this list: take it from the `next` link."
        raise Problem("INVALID", message)
    return place


async def calendar(
    request: Request,
    book: Book,
    caller: Annotated[Caller, needs_in_address("calendar")],
    filters: Annotated[Filters, Depends(filters_of(DUE))],
) -> Response:
    """Give what is due as an iCalendar feed, with business numbers and nobody's name.

    Unless a status or days are asked for: what is open, and what was due in the last 30 days or will be.

    Calendars show no header, so the address bears a token of its own (`coverledger token create --role
    calendar`), which opens nothing else.
    """

    def ask(reader: PagedReader) -> tuple[list[dict[str, object]], datetime | None]:
        return (
            list_calendar(reader, filters, _today(wiring_of(request))),
            sealed_at(reader.connection, book, reader.position),
        )

    now = Time(None, None, None, None)
    (rows, known_at), position = await read(request, caller, DUE.views, now, ask)
    text = await run_in_threadpool(due_calendar.due_calendar, rows, book=book, known_at=known_at or BEGINNING)
    answer = Response(text, media_type=due_calendar.MEDIA_TYPE, headers={POSITION: str(position)})
    return tagged(request, answer)


def _today(wiring: App) -> date:
    return brussels_date(present(wiring.book_row(), wiring.now()))
