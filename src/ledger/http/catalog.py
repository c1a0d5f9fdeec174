"""What programs look up: schemas of events, the AsyncAPI document, and what each kind of problem means."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from ledger.feed.publishing.asyncapi import asyncapi_document
from ledger.feed.publishing.schemas import SchemaUnknown, schema_of
from ledger.http.book import PREFIX, Book
from ledger.http.callers import needs
from ledger.http.conditional import tagged
from ledger.http.described import described
from ledger.http.problems import BASE, KINDS, Problem
from ledger.http.served import wiring_of
from ledger.rights.caller import Caller
from ledger.wiring import Wiring

SCHEMA = "application/schema+json"

ANY_OBJECT: dict[str, Any] = {"schema": {"type": "object"}}


def routes(_wiring: Wiring) -> APIRouter:
    """Give the routes of the catalog (group `coverledger.routes`)."""
    router = APIRouter(tags=["catalog"])
    router.get(
        f"{PREFIX}/schemas/{{event_type}}",
        summary="JSON Schema of an event type",
        operation_id="schema",
        response_model=None,
        responses=described({200: {"content": {SCHEMA: ANY_OBJECT}}}, 404, 422),
    )(schema)
    router.get(
        f"{PREFIX}/asyncapi.json",
        summary="AsyncAPI document of the feed",
        operation_id="asyncapi",
        response_model=None,
        responses=described({200: {"content": {"application/json": ANY_OBJECT}}}, 404),
    )(asyncapi)
    router.get(
        BASE.rstrip("/"), summary="All kinds of problems", operation_id="problems", response_model=None
    )(all_problems)
    router.get(
        f"{BASE}{{code}}",
        summary="What a kind of problem means",
        operation_id="problem",
        response_model=None,
        responses=described({}, 404, 422),
    )(problem)
    return router


async def schema(
    request: Request,
    _book: Book,
    _caller: Annotated[Caller, needs("feed")],
    event_type: Annotated[str, Path(max_length=100)],
) -> Response:
    """Give the schema of the `data` of one type and version of events, personal fields left out."""
    try:
        return tagged(
            request, JSONResponse(schema_of(event_type, await _type_prefix(request)), media_type=SCHEMA)
        )
    except SchemaUnknown as error:
        raise Problem("NOT_FOUND", f"{error}.") from error


async def asyncapi(request: Request, _book: Book, _caller: Annotated[Caller, needs("feed")]) -> Response:
    """Describe every event, and by which ways it comes (AsyncAPI 3)."""
    return tagged(request, JSONResponse(asyncapi_document(await _type_prefix(request))))


async def all_problems() -> Response:
    """List every `type` that a problem may have. Open to all."""
    return JSONResponse([_told(code) for code in sorted(KINDS)])


async def problem(code: Annotated[str, Path(max_length=64, examples=["LIMIT_COUNT"])]) -> Response:
    """Say what a `type` means. Open to all."""
    if code not in KINDS:
        message = "There is no problem of this kind: see /problems."
        raise Problem("NOT_FOUND", message)
    return JSONResponse(_told(code))


async def _type_prefix(request: Request) -> str:
    return await run_in_threadpool(lambda: wiring_of(request).event_type_prefix)


def _told(code: str) -> dict[str, object]:
    kind = KINDS[code]
    explained = {"rule": kind.rule, "documentation": kind.documentation} if kind.rule else {}
    return {"type": f"{BASE}{code}", "status": kind.status, "title": kind.title} | explained
