"""Commands in: `POST /v1/{book}/commands/{Command}`, one effect for each Idempotency-Key."""

from asyncio import get_running_loop
from collections.abc import Callable, Mapping
from contextvars import copy_context
from difflib import get_close_matches
from functools import partial
from typing import Annotated, Any, Final, NamedTuple, NoReturn

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ledger.answers import Answer
from ledger.domain.commands import COMMANDS
from ledger.domain.deciding import needs as needed_streams
from ledger.domain.identifiers import StreamRef
from ledger.feed.epochs import Cursor
from ledger.http.book import PREFIX, Book, number_step
from ledger.http.callers import admitted, needs
from ledger.http.command_requests import Asked, command_id, instant_of, read, versions_of, yes
from ledger.http.command_schemas import AN_INSTANT, command_schema
from ledger.http.cursors import PresentEpoch
from ledger.http.described import ANSWERED, POSITION_HEADER, described
from ledger.http.frame import Lane
from ledger.http.parameters import check_parameters
from ledger.http.problems import Problem
from ledger.http.served import wiring_of
from ledger.rights.caller import Caller
from ledger.store.streams import stream_id
from ledger.submission import StreamMoved, Submission
from ledger.wiring import Wiring

SEAL_SECONDS: Final = 0.25
"""The longest that an answer waits for the command's seal."""


PARAMETERS: Final = {"at": False, "dry_run": False}
"""Those of the routes below: each once."""

PLURALS: Final[Mapping[str, str]] = {"contract": "contracts", "claim": "claims", "complaint": "complaints"}

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The command's id, quoted or bare, 1 to 128 characters: sent twice, it has one effect.",
        examples=["accept-CL-1"],
        json_schema_extra={"pattern": "^[!-~]{1,128}$"},
    ),
]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="Versions (ETag) of the command's own stream, one of which it must be at; `*`: any.",
        examples=['"7"'],
        json_schema_extra={"pattern": r'^(\*|"[0-9]{1,9}"(, ?"[0-9]{1,9}")*)$'},
    ),
]
DryRun = Annotated[bool, Query(alias="dry_run", description="Decide the command, record nothing.")]
At = Annotated[
    str | None,
    Query(
        alias="at",
        json_schema_extra=AN_INSTANT,
        description=(
            "Instant at which it happened, with its offset; the present unless given. The past needs the "
            "right `backdate`."
        ),
        examples=["2026-03-01T09:00:00+01:00"],
    ),
]


def routes(_wiring: Wiring) -> APIRouter:
    """Give a route for each command (group `coverledger.routes`)."""
    router = APIRouter(prefix=f"{PREFIX}/commands", tags=["commands"])
    for name in sorted(COMMANDS):
        _describe(router, name)(_sending(name))
    router.add_api_route(
        "/{command:path}",
        _no_such_command,
        methods=["POST"],
        include_in_schema=False,
        response_model=None,
    )
    return router


def _describe(router: APIRouter, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    schema, _ = command_schema(name)
    return router.post(
        f"/{name}",
        summary=(COMMANDS[name].__doc__ or name).splitlines()[0],
        operation_id=name,
        status_code=201,
        response_model=None,
        responses=described(
            {
                201: {"description": "Recorded", "content": ANSWERED, "headers": POSITION_HEADER},
                200: {
                    "description": "Recorded before under this id (Idempotency-Replayed), or a dry run",
                    "content": ANSWERED,
                    "headers": POSITION_HEADER,
                },
            },
            400,
            404,
            409,
            412,
            413,
            415,
            422,
            503,
        ),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": schema, "example": schema["example"]}},
            }
        },
    )


def _sending(name: str) -> Callable[..., Any]:
    async def send(
        request: Request,
        _book: Book,
        _caller: Annotated[Caller, needs("command")],
        _idempotency_key: Key = None,
        _if_match: IfMatch = None,
        _at: At = None,
        *,
        _dry_run: DryRun = False,
    ) -> Response:
        return await _send(request, name)

    return send


def lane(book: str) -> Lane:
    """Give the way of commands past the framework's routers and its reading of parameters.

    These took a quarter of the server's time for a command, measured. The routes above describe commands for
    the document; here they are served.
    """
    prefix = f"/v1/{book}/commands/"
    served = {f"{prefix}{name}": _serving(name) for name in COMMANDS}
    return lambda method, path: served.get(path) if method == "POST" else None


class _Named(NamedTuple):
    """What log and metrics call a route."""

    path: str


def _serving(name: str) -> ASGIApp:
    route = _Named(f"{PREFIX}/commands/{name}")

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = route
        response = await _send(Request(scope, receive), name)
        await response(scope, receive, send)

    return serve


async def _send(request: Request, name: str) -> Response:
    caller = await admitted(request, "command")
    headers, query = request.headers, request.query_params
    check_parameters(query, PARAMETERS)
    asked = Asked(
        name,
        caller,
        command_id(headers.get("idempotency-key")),
        versions_of(headers.get("if-match")),
        instant_of(query.get("at")),
    )
    dry_run = yes(query.get("dry_run", "false"))
    sent = read(asked, headers.get("content-type"), await request.body())
    return await _answered(request, name, sent, dry_run=dry_run)


async def _no_such_command(
    _book: Book, command: str, _caller: Annotated[Caller, needs("command")]
) -> NoReturn:
    near = get_close_matches(command, COMMANDS, n=1, cutoff=0.0)
    message = f"There is no command {command[:60]!r}; did you mean {near[0]}?"
    raise Problem("NOT_FOUND", message)


async def _answered(request: Request, name: str, sent: Submission, *, dry_run: bool) -> Response:
    wiring = wiring_of(request)
    ledger = wiring.ledger
    try:
        # The log's lines of the thread bear the request's id, which stands in the context.
        decide = partial(copy_context().run, ledger.dry_run if dry_run else ledger.submit, sent)
        answer = await get_running_loop().run_in_executor(request.app.state.writers, decide)
    except StreamMoved as moved:
        request.app.state.counts.command(name, "stale")
        raise Problem("STALE", f"{moved}.", headers={"ETag": _etag(moved.version)}) from moved
    request.app.state.counts.command(name, answer.status)
    _refuse(answer)
    if answer.status == "recorded" and not dry_run and wiring.settings.sealer_enabled:
        wiring.sealer.wake()
    own = needed_streams(sent.command).streams[0]
    headers = _headers(wiring, own, answer)
    if not dry_run and answer.events:
        last = answer.events[-1]
        kind, _, number = last.stream.partition("/")
        where = stream_id(wiring.book, StreamRef(kind, number))  # type: ignore[arg-type]  # as it was recorded
        position = await request.app.state.seals.position_of(where, last.version, SEAL_SECONDS)
        if position is not None:
            epochs: PresentEpoch = request.app.state.epochs
            known = epochs.known
            epoch = await run_in_threadpool(epochs.look) if known is None else known
            headers["Ledger-Position"] = str(Cursor(epoch, position))
    told = answer.as_json() | ({"dry_run": True} if dry_run else {})
    return JSONResponse(told, 201 if answer.status == "recorded" and not dry_run else 200, headers)


def _refuse(answer: Answer) -> None:
    """Raise the problem that a refusal is; a refusal given again says so. An answer that is none passes."""
    if not answer.said_no:
        return
    replayed = {"Idempotency-Replayed": "true"} if answer.status == "repeated" else {}
    code = "INVALID" if answer.code is None else answer.code
    raise Problem(code, str(answer.message), headers=replayed, rule=answer.rule, command_id=answer.command_id)


def _headers(wiring: Wiring, own: StreamRef, answer: Answer) -> dict[str, str]:
    headers = {"Location": f"/v1/{wiring.book}/{PLURALS[own.kind]}/{number_step(own.number)}"}
    versions = [event.version for event in answer.events if event.stream == own.name]
    if versions:
        headers["ETag"] = _etag(versions[-1])
    if answer.status == "repeated":
        headers["Idempotency-Replayed"] = "true"
    return headers


def _etag(version: int) -> str:
    return f'"{version}"'
