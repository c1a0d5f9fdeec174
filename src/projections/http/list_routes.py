"""The routes of lists and reports: by pages as JSON, whole as CSV and XLSX, due dates as a calendar too."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
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
from projections.http.lists import LISTS, List, filters_of, row_schema
from projections.http.reader import PagedReader, RequestedTime, Time, download, read, rows_by_pages
from projections.queries.questions import Answer, Filters, list_calendar
from projections.queries.reader import Reader, plain_json, sealed_at
from projections.queries.reports import REPORTS, ReportFilter, by_guarantee, reported_until, rows_of
from projections.runner.rows import PageKey

FOLDER: Final = "reports/"


@dataclass(frozen=True, slots=True)
class _Years:
    """What the figures by guarantee are narrowed down to."""

    guarantee: str | None = None
    year: int | None = None


def _until(reader: Reader) -> date:
    """Return the last day that the report knows of."""
    return reported_until(reader, reader.as_of if isinstance(reader, PagedReader) else None)


def _rows(name: str) -> Callable[[Reader, ReportFilter], list[Answer]]:
    return lambda reader, asked: rows_of(reader, REPORTS[name], asked)


def _bordereau(reader: Reader, asked: ReportFilter) -> list[Answer]:
    if asked.month is None:
        asked = replace(asked, month=_until(reader).replace(day=1))
    return rows_of(reader, REPORTS["bordereau"], asked)


def _of_a_month(month: str | None = None, *, every: bool | None = None, **rest: str | None) -> ReportFilter:
    first = None if month is None else date.fromisoformat(f"{month}-01")
    return ReportFilter(month=first, every=bool(every), **rest)  # type: ignore[arg-type]  # the filters of the bordereau


def _guarantees(reader: Reader, years: _Years) -> list[Answer]:
    return by_guarantee(reader, _until(reader), years.guarantee, years.year)


REPORT_LISTS: Final = (
    List(
        "refunds",
        ("refunds",),
        ("opened_position", "number"),
        _rows("refunds"),
        "Refunds with the days that they took against those allowed (R7)",
        ReportFilter,
        FOLDER,
    ),
    List(
        "payments",
        ("payments",),
        ("opened_position", "number"),
        _rows("payments"),
        "Every movement of money on claims",
        ReportFilter,
        FOLDER,
    ),
    List(
        "recoveries",
        ("reserves",),
        ("opened_position",),
        _rows("recoveries"),
        "Reserves and recoveries: what each claim may still cost, has cost, and what came back",
        ReportFilter,
        FOLDER,
    ),
    List(
        "timeline",
        ("timeline",),
        ("from_position",),
        _rows("timeline"),
        "Steps of claims in the order in which they were recorded",
        ReportFilter,
        FOLDER,
    ),
    List(
        "bordereau",
        ("bordereau",),
        ("opened_position",),
        _bordereau,
        "A month's claims: paid in the month, paid before, outstanding",
        _of_a_month,
        FOLDER,
    ),
    List(
        "guarantees",
        ("reserves", "contracts"),
        (),
        _guarantees,
        "Counts and losses by calendar year of the incident and guarantee, beside the days of cover",
        _Years,
        FOLDER,
    ),
)


MOST_ROWS: Final = 1_000
DUE: Final = next(listed for listed in LISTS if listed.name == "due")

NEXT: Final = {"Link": {"description": 'rel="next"', "schema": {"type": "string"}}}

_PLACE: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18}){0,3}", re.ASCII)

Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows at most.")]


def routes(_wiring: App) -> APIRouter:
    """Return the routes of the lists."""
    router = APIRouter(prefix=PREFIX, tags=["views"])
    for listed in (*LISTS, *REPORT_LISTS):
        _add(router, listed)
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


def _add(router: APIRouter, listed: List) -> None:
    rows = {"type": "array", "items": row_schema(listed)}
    router.get(
        listed.path,
        summary=listed.said,
        operation_id=f"list_{listed.operation}",
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
    )(_page(listed))
    for end, way in SENT_FORMATS.items():
        router.get(
            f"{listed.path}.{end}",
            summary=f"{listed.said}, all of them as {end.upper()}",
            operation_id=f"download_{listed.operation}_{end}",
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
        )(_file(listed, end))


def _page(listed: List) -> Callable[..., Any]:
    async def page(  # a parameter each
        request: Request,
        _book: Book,
        caller: Annotated[Caller, needs("read")],
        time: RequestedTime,
        filters: Annotated[object, Depends(filters_of(listed))],
        limit: Limit = 100 if listed.order else MOST_ROWS,
        after: _after(listed) = None,  # type: ignore[valid-type]  # an annotation made for the list
    ) -> Response:
        place = _place(after, listed)

        def ask(reader: PagedReader) -> tuple[list[dict[str, object]], PageKey | None]:
            # One row more than the page says whether there is a next one.
            reader.listed, reader.after, reader.limit = listed, place, limit + 1
            rows = listed.ask(reader, filters)
            if reader.paged is None:  # They came whole: a place is a number of rows.
                begin = 0 if place is None else place[0]
                end = begin + limit
                return rows[begin:end], None if len(rows) <= end else (end, *(0 for _ in listed.order[1:]))
            more = len(rows) > limit
            return rows[:limit], reader.paged.places[limit - 1] if more else None

        (rows, last), position = await read(request, caller, listed.views, time, ask)
        headers = {POSITION: str(position)}
        if last is not None:
            link = request.url.include_query_params(after=".".join(map(str, last)))
            if listed.order:
                # A report that reaches to the present day would, as of a position, reach to that one's.
                link = link.include_query_params(as_of=str(position))
            link = link.remove_query_params(["min_position", "min_command"])
            headers["Link"] = f'<{link.path}?{link.query}>; rel="next"'
        return JSONResponse(plain_json(rows), headers=headers)

    page.__doc__ = f"{listed.said}: a page of them. Its next ones stand for the same position."
    return page


def _file(listed: List, end: str) -> Callable[..., Any]:
    async def file(
        request: Request,
        _book: Book,
        caller: Annotated[Caller, needs("read")],
        time: RequestedTime,
        filters: Annotated[object, Depends(filters_of(listed))],
    ) -> Response:
        if not listed.order:
            whole, position = await read(
                request, caller, listed.views, time, lambda reader: listed.ask(reader, filters)
            )
            return await run_in_threadpool(download, listed, end, whole, position)
        _, position = await read(request, caller, listed.views, time, lambda reader: reader.position)
        rows = rows_by_pages(wiring_of(request), listed, filters, time, position)
        return await run_in_threadpool(download, listed, end, rows, position)

    file.__doc__ = f"{listed.said}, as they stand at one position."
    return file


def _after(listed: List) -> Any:  # noqa: ANN401  # an annotation
    place = "[0-9]{1,15}"
    return Annotated[
        str | None,
        Query(
            max_length=80,
            description="Where the page before ended, as its `next` link says.",
            json_schema_extra={"pattern": f"^{place}(\\.{place}){{{_parts(listed) - 1}}}$"},
        ),
    ]


def _parts(listed: List) -> int:
    """Count the parts of a place in a list; in one that comes whole it is a number of rows."""
    return max(1, len(listed.order))


def _place(after: str | None, listed: List) -> PageKey | None:
    """Read where the page before ended. Raises Problem."""
    if after is None:
        return None
    place = tuple(map(int, after.split("."))) if _PLACE.fullmatch(after) else ()
    if len(place) != _parts(listed):
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
