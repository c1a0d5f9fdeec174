"""The feed out: pages of CloudEvents, and a stream of them (server-sent events) that resumes after a cut."""

from collections.abc import AsyncIterator, Collection
from time import monotonic
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from ledger.app import App
from ledger.auth.roles import Caller
from ledger.feed.publish import BATCH_CONTENT_TYPE
from ledger.feed.reader import Cursor
from ledger.http.callers import needs
from ledger.http.feed_cache import PAGE as WINDOW_PAGE
from ledger.http.feed_cache import CachedEvent, FeedCache, read_sent
from ledger.http.middleware import EVENT_STREAM
from ledger.http.openapi_responses import POSITION, POSITION_HEADER, described
from ledger.http.parameters import CURSOR, TypeFilter, check_after, read_cursor
from ledger.http.position_waiter import PositionWaiter
from ledger.http.problems import Problem
from ledger.http.state import PREFIX, Book, is_draining, wiring_of
from ledger.store.feed import feed_end

MOST_EVENTS: Final = 1_000
PAGE: Final = 1_000
MOST_SCANNED: Final = 20_000
"""Positions looked through for one page, when few are of the types wanted."""

MOST_STREAMS: Final = 1_000
KEEP_ALIVE_SECONDS: Final = 15
SLICE_SECONDS: Final = 1.0
"""A waiting stream looks so often whether the server is about to stop."""
AGAIN_MILLISECONDS: Final = 1_000
"""After which a client connects anew."""

After = Annotated[
    str,
    Query(
        max_length=40,
        json_schema_extra={"pattern": CURSOR},
        description=(
            "Cursor of the last event read, as it was given: a position, or EPOCH:POSITION once the log was"
            " put back; -1: from the start."
        ),
        examples=["4711"],
    ),
]
Types = Annotated[
    list[str],
    Query(
        max_length=100,
        description="Only these types, with commas between or each on its own; none: all.",
        examples=[["claim.RefundIssued"]],
    ),
]
Limit = Annotated[int, Query(ge=1, le=MOST_EVENTS, description="Events at most.")]


class FeedPage(NamedTuple):
    """One page of the feed."""

    events: list[CachedEvent]
    reached: int
    """Position up to which was looked."""
    end: int


def routes(_wiring: App) -> APIRouter:
    """Return the routes of the feed."""
    router = APIRouter(prefix=PREFIX, tags=["feed"])
    router.get(
        "/events",
        summary="Events after a cursor",
        operation_id="events",
        response_model=None,
        responses=described(
            {
                200: {
                    "description": "A batch of CloudEvents; Ledger-Position says up to where was looked",
                    "content": {
                        BATCH_CONTENT_TYPE: {
                            "schema": {"type": "array", "items": {"$ref": "#/components/schemas/CloudEvent"}}
                        }
                    },
                    "headers": POSITION_HEADER
                    | {"Link": {"description": 'rel="next"', "schema": {"type": "string"}}},
                }
            },
            404,
            410,
            422,
            503,
        ),
    )(events)
    router.get(
        "/events/stream",
        summary="Events as they are sealed (server-sent events)",
        operation_id="stream_events",
        response_model=None,
        responses=described(
            {
                200: {
                    "description": "`id` is the cursor, `data` a CloudEvent; Last-Event-ID resumes after it",
                    "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
                }
            },
            404,
            410,
            422,
            429,
            503,
        ),
    )(stream)
    return router


async def events(  # a parameter each
    request: Request,
    book: Book,
    _caller: Annotated[Caller, needs("feed")],
    types: Types = [],  # noqa: B006  # FastAPI copies it
    after: After = "-1",
    limit: Limit = 100,
) -> Response:
    """Give events in the order of their positions, without anything personal.

    Where there are more, `Link: rel="next"` leads on. With `types`, a page may be empty before the end.
    """
    wiring = wiring_of(request)
    wanted, cursor = await _wanted(wiring, types), read_cursor("after", after)
    epoch = await run_in_threadpool(check_after, wiring.pool, book, cursor)
    page = await run_in_threadpool(_page, request, cursor.position, wanted, limit)
    headers = {POSITION: str(Cursor(epoch, page.reached))}
    if page.reached < page.end:
        link = request.url.include_query_params(after=str(Cursor(epoch, page.reached)))
        headers["Link"] = f'<{link.path}?{link.query}>; rel="next"'
    body = b"[" + b",".join(event.json for event in page.events) + b"]"
    return Response(body, media_type=BATCH_CONTENT_TYPE, headers=headers)


def _page(request: Request, after: int, wanted: TypeFilter, limit: int) -> FeedPage:
    wiring = wiring_of(request)
    with wiring.pool.connection() as connection:
        end = feed_end(connection, wiring.book)
    found: list[CachedEvent] = []
    reached, last = min(after, end), min(end, after + MOST_SCANNED)
    while reached < last:
        size = min(PAGE if wanted.names else limit, last - reached)
        for event in read_sent(wiring.pool, wiring.book, wiring.event_type_prefix, reached, size):
            reached = event.position
            if wanted.take(event.name, event.type):
                found.append(event)
                if len(found) == limit:
                    return FeedPage(found, reached, end)
    return FeedPage(found, reached, end)


async def stream(  # a parameter each
    request: Request,
    book: Book,
    _caller: Annotated[Caller, needs("feed")],
    types: Types = [],  # noqa: B006  # FastAPI copies it
    after: After | None = None,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", max_length=40, description="Resumes after this event.")
    ] = None,
) -> Response:
    """Send each event as it is sealed, from after the cursor on; without one, from now on.

    `Last-Event-ID`, which clients send by themselves after a cut, goes before `after`: nothing is missed, and
    nothing is sent twice.
    """
    wiring = wiring_of(request)
    wanted = await _wanted(wiring, types)
    said = last_event_id or after
    if said:
        position = read_cursor("Last-Event-ID" if last_event_id else "after", said).position
        await run_in_threadpool(check_after, wiring.pool, book, Cursor.parse(said))
    else:
        position = await run_in_threadpool(_end, wiring)
    streams = request.app.state.counts.streams
    if streams._value.get() >= MOST_STREAMS:  # noqa: SLF001  # the library has no other way to read a gauge
        message = f"{MOST_STREAMS} streams are served already: try again later, or read /events."
        raise Problem("TOO_MANY_STREAMS", message, headers={"Retry-After": "30"})
    return StreamingResponse(
        _listen(request, position, wanted), media_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"}
    )


async def _listen(request: Request, position: int, wanted: TypeFilter) -> AsyncIterator[bytes]:
    window: FeedCache = request.app.state.window
    seals: PositionWaiter = request.app.state.seals
    streams = request.app.state.counts.streams
    streams.inc()
    try:
        yield f"retry: {AGAIN_MILLISECONDS}\n\n".encode()
        told, last, is_more = position, "", True
        spoken = monotonic()
        while not is_draining(request):
            if monotonic() - spoken >= KEEP_ALIVE_SECONDS:
                # An id alone moves the client's cursor past what it did not want, and shows no event.
                yield f"id: {last}\n\n".encode() if told < position else b":\n\n"
                told, spoken = position, monotonic()
            seen = max(seals.end, position)
            found = await window.after(position) if is_more else ()
            if found:
                position, last = found[-1].position, found[-1].cursor
                is_more = position < seals.end or len(found) == WINDOW_PAGE
                frames = [event.frame for event in found if wanted.take(event.name, event.type)]
                if frames:
                    yield b"".join(frames)
                    told, spoken = position, monotonic()
                continue
            is_more = await seals.end_beyond(seen, SLICE_SECONDS) is not None
    finally:
        streams.dec()


async def _wanted(wiring: App, types: Collection[str]) -> TypeFilter:
    return TypeFilter(types, await run_in_threadpool(lambda: wiring.event_type_prefix))


def _end(wiring: App) -> int:
    with wiring.pool.connection() as connection:
        return feed_end(connection, wiring.book)
