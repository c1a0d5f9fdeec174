"""Commands in: `POST /v1/{book}/commands/{Command}`, one effect for each Idempotency-Key."""

import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Annotated, Any, Final, NoReturn
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response

from ledger.answers import Answer
from ledger.domain.commands import COMMANDS
from ledger.domain.deciding import needs as needed_streams
from ledger.domain.identifiers import StreamRef
from ledger.domain.refusals import Invalid
from ledger.http.app import wiring_of
from ledger.http.book import PREFIX, Book, served_book
from ledger.http.callers import admitted, needs
from ledger.http.command_schemas import AN_INSTANT, command_schema
from ledger.http.described import ANSWERED, POSITION_HEADER, described
from ledger.http.problems import Problem
from ledger.importing.envelope import checked_name, instant
from ledger.importing.json_lines import json_object
from ledger.importing.lines import Malformed, decoded
from ledger.rights.caller import Caller
from ledger.store.streams import stream_id
from ledger.submission import StreamMoved, Submission, submission
from ledger.wiring import Wiring

SEAL_SECONDS: Final = 0.25
"""The longest that an answer waits for the command's seal."""

JSON: Final = re.compile(r"application/(json|[\w.-]+\+json)\s*(;.*)?", re.IGNORECASE | re.ASCII)
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_TAG: Final = re.compile(r'\s*(?:W/)?"[^"]*"\s*|\s*[0-9]+\s*', re.ASCII)
_VERSION: Final = re.compile(r'\s*"?([0-9]{1,9})"?\s*', re.ASCII)

PLURALS: Final[Mapping[str, str]] = {"contract": "contracts", "claim": "claims", "complaint": "complaints"}

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The command's id, quoted or bare, 1 to 128 characters: sent twice, it has one effect.",
        examples=["accept-CL-1"],
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


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a command, as far as headers and address say it."""

    name: str
    caller: Caller
    key: str
    versions: frozenset[int] | None
    at: datetime | None


def routes(_wiring: Wiring) -> APIRouter:
    """Give a route for each command (group `claims_ledger.routes`)."""
    router = APIRouter(prefix=f"{PREFIX}/commands", tags=["commands"], route_class=CommandRoute)
    for name in sorted(COMMANDS):
        _describe(router, name)(_sending(name))
    router.add_api_route(
        "/{command:path}",
        _no_such_command,
        methods=["POST"],
        include_in_schema=False,
        response_model=None,
        route_class_override=APIRoute,
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


class CommandRoute(APIRoute):
    """A route described by its parameters and served without the framework's reading of them.

    That reading took an eighth of the server's time for a command, measured; here its few parts are read
    directly.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give what serves the route."""
        name = str(self.operation_id)

        async def serve(request: Request) -> Response:
            return await _send(request, name)

        return serve


async def _send(request: Request, name: str) -> Response:
    served_book(request, request.path_params["book"])
    caller = await admitted(request, "command")
    headers, query = request.headers, request.query_params
    asked = Asked(
        name,
        caller,
        command_id(headers.get("idempotency-key")),
        versions_of(headers.get("if-match")),
        _instant(query.get("at")),
    )
    dry_run = _yes(query.get("dry_run", "false"))
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
        answer = await run_in_threadpool(ledger.dry_run if dry_run else ledger.submit, sent)
    except StreamMoved as moved:
        request.app.state.counts.command(name, "stale")
        raise Problem("STALE", f"{moved}.", headers={"ETag": _etag(moved.version)}) from moved
    request.app.state.counts.command(name, answer.status)
    _refuse(answer)
    if answer.status == "recorded" and not dry_run and wiring.settings.seals:
        wiring.sealer.wake()
    own = needed_streams(sent.command).streams[0]
    headers = _headers(wiring, own, answer)
    if not dry_run and answer.events:
        last = answer.events[-1]
        kind, _, number = last.stream.partition("/")
        where = stream_id(wiring.book, StreamRef(kind, number))  # type: ignore[arg-type]  # as it was recorded
        position = await request.app.state.seals.position_of(where, last.version, SEAL_SECONDS)
        if position is not None:
            headers["Ledger-Position"] = str(position)
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
    headers = {"Location": f"/v1/{wiring.book}/{PLURALS[own.kind]}/{quote(own.number, safe='')}"}
    versions = [event.version for event in answer.events if event.stream == own.name]
    if versions:
        headers["ETag"] = _etag(versions[-1])
    if answer.status == "repeated":
        headers["Idempotency-Replayed"] = "true"
    return headers


def _etag(version: int) -> str:
    return f'"{version}"'


def read(asked: Asked, content_type: str | None, body: bytes) -> Submission:
    """Read a command from the body of its request. Raises Problem, quoting nothing of the body."""
    if content_type is not None and not JSON.fullmatch(content_type):
        message = "Send the command's fields as JSON: Content-Type: application/json."
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
            raise Problem("MALFORMED", message)
        version = _VERSION.fullmatch(tag)
        if version:
            versions.add(int(version[1]))
    return frozenset(versions)


def _yes(said: str) -> bool:
    if said.lower() not in {"true", "false", "1", "0"}:
        message = "dry_run: must be true or false."
        raise Problem("INVALID", message)
    return said.lower() in {"true", "1"}


def _instant(at: str | None) -> datetime | None:
    try:
        return None if at is None else instant(at)
    except Malformed as error:
        raise Problem("INVALID", f"{error}.") from error
