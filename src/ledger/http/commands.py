"""Commands in: `POST /v1/{book}/commands/{Command}`, one effect for each Idempotency-Key."""

import re
from asyncio import get_running_loop
from collections.abc import Callable, Mapping
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from functools import partial
from typing import Annotated, Any, Final, NamedTuple, NoReturn

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ledger.app import App
from ledger.auth.roles import Caller
from ledger.command_envelope import StreamMoved, Submission, submission
from ledger.command_handler import Answer
from ledger.domain.identifiers import StreamRef
from ledger.domain.refusals import Invalid
from ledger.domain.registry import COMMANDS
from ledger.feed.reader import Cursor
from ledger.http.callers import admitted, needs
from ledger.http.middleware import Lane
from ledger.http.openapi import AN_INSTANT, command_schema
from ledger.http.openapi_responses import ANSWERED, POSITION_HEADER, described
from ledger.http.parameters import PresentEpoch, check_parameters
from ledger.http.problems import Problem
from ledger.http.state import PREFIX, Book, number_step, wiring_of
from ledger.imports.json_lines import json_object
from ledger.imports.lines import Malformed, checked_name, decoded, instant
from ledger.store.canonical import stream_id

JSON: Final = re.compile(r"application/(json|[\w.-]+\+json)\s*(;.*)?", re.IGNORECASE | re.ASCII)
_CHARSET: Final = re.compile(r';\s*charset\s*=\s*"?([\w.:-]+)', re.IGNORECASE | re.ASCII)
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_TAG: Final = re.compile(r'\s*(?:W/)?"[^"]*"\s*|\s*[0-9]+\s*', re.ASCII)
_VERSION: Final = re.compile(r'\s*"?([0-9]{1,9})"?\s*', re.ASCII)


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """One request for a command, as far as headers and address say it."""

    name: str
    caller: Caller
    key: str
    versions: frozenset[int] | None
    at: datetime | None


def read(asked: CommandRequest, content_type: str | None, body: bytes) -> Submission:
    """Read a command from the body of its request. Raises Problem, quoting nothing of the body."""
    if content_type is not None and not JSON.fullmatch(content_type):
        message = "Send the command's fields as JSON: Content-Type: application/json."
        raise Problem("MEDIA_TYPE", message)
    charset = _CHARSET.search(content_type or "")
    if charset is not None and charset[1].lower() not in {"utf-8", "us-ascii"}:
        message = f"JSON is UTF-8, and not {charset[1][:20]}: send it so, without a charset."
        raise Problem("MEDIA_TYPE", message)
    try:
        fields = json_object(decoded(body, 1))
    except Malformed as error:
        message = f"{asked.name}: the body {error}"
        raise Problem("INVALID", message) from error
    try:
        return submission(
            asked.key,
            asked.name,
            fields,
            at=asked.at,
            actor=asked.caller.actor,
            sender=asked.caller.sender,
            may_backdate=asked.caller.may("backdate"),
            if_versions=asked.versions,
        )
    except Invalid as error:
        raise Problem("INVALID", error.message) from error


def command_id(key: str | None) -> str:
    """Read an Idempotency-Key, quoted as structured fields are (RFC 8941) or bare. Raises Problem."""
    if key is None:
        message = (
            "Give the command an id of its own: Idempotency-Key: accept-CL-1. Sent twice, it has one effect."
        )
        raise Problem("IDEMPOTENCY_KEY", message)
    if not key.isascii():
        # What bytes beyond ASCII mean in a header is not agreed on: two programs could read two ids.
        message = "Idempotency-Key: write it in ASCII letters, digits and signs."
        raise Problem("IDEMPOTENCY_KEY", message)
    quoted = _QUOTED.fullmatch(key)
    text = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else key
    try:
        return checked_name("Idempotency-Key", text)
    except Malformed as error:
        raise Problem("IDEMPOTENCY_KEY", f"{error}.") from error


def versions_of(if_match: str | None) -> frozenset[int] | None:
    """Read If-Match: the versions that are named. A weak or foreign tag matches none; `*` and nothing, any.

    Raises Problem for what is no list of tags.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    versions = set()
    for tag in if_match.split(","):
        if not _TAG.fullmatch(tag):
            message = 'If-Match: write the version as the ETag gave it, "7".'
            raise Problem("BAD_REQUEST", message)
        version = _VERSION.fullmatch(tag)
        if version:
            versions.add(int(version[1]))
    return frozenset(versions)


def yes(said: str) -> bool:
    """Read a parameter that is true or false. Raises Problem."""
    if said.lower() not in {"true", "false", "1", "0"}:
        message = "dry_run: must be true or false."
        raise Problem("INVALID", message)
    return said.lower() in {"true", "1"}


def instant_of(at: str | None) -> datetime | None:
    """Read the instant that the address names, if any. Raises Problem."""
    try:
        return None if at is None else instant(at)
    except Malformed as error:
        raise Problem("INVALID", f"{error}.") from error


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


def routes(_wiring: App) -> APIRouter:
    """Return a route for each command."""
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
    """Return the way of commands past the framework's routers and its reading of parameters.

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
    asked = CommandRequest(
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
    own = sent.needs.streams[0]
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


def _headers(wiring: App, own: StreamRef, answer: Answer) -> dict[str, str]:
    headers = {"Location": f"/v1/{wiring.book}/{PLURALS[own.kind]}/{number_step(own.number)}"}
    versions = [event.version for event in answer.events if event.stream == own.name]
    if versions:
        headers["ETag"] = _etag(versions[-1])
    if answer.status == "repeated":
        headers["Idempotency-Replayed"] = "true"
    return headers


def _etag(version: int) -> str:
    return f'"{version}"'
