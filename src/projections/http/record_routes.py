"""The routes of single contracts, claims and complaints: as they stand, their history, and their replay.

Personal values stay sealed, but for the routes that end in `opened`: these need the right `names` and a
reason (`Access-Reason`), and the access log is told first.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import JSONResponse, Response

from ledger.app import App
from ledger.auth.roles import Caller
from ledger.domain.identifiers import Name, StreamRef
from ledger.errors import Rejected
from ledger.http.callers import needs
from ledger.http.openapi_responses import POSITION, POSITION_HEADER, described
from ledger.http.parameters import has_already, not_modified
from ledger.http.problems import Problem
from ledger.http.state import PREFIX, Book
from ledger.privacy.access import Access
from ledger.store.feed import last_positions, version_at
from projections.http.lists import row_schema
from projections.http.reader import BELONGING, PagedReader, RequestedTime, Time, no_such, read
from projections.queries.questions import RECORDS, RecordKind
from projections.queries.reader import Reader, belonging, plain_json
from projections.queries.replay import history, replay
from projections.views.registry import LISTINGS

ETAG: Final = {"ETag": {"description": "Version of the stream, for If-Match.", "schema": {"type": "string"}}}

EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "required": [
        *(
            "position",
            "stream",
            "version",
            "type",
            "effective_on",
            "at",
            "recorded_at",
            "actor",
            "command_id",
        ),
    ],
    "properties": {
        "position": {"type": "integer"},
        "stream": {"type": "string"},
        "version": {"type": "integer"},
        "type": {"type": "string"},
        "effective_on": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "recorded_at": {"type": "string", "format": "date-time"},
        "actor": {"type": "string"},
        "command_id": {"type": "string"},
    },
}
REPLAYED: Final[dict[str, Any]] = EVENT | {
    "properties": EVENT["properties"]
    | {
        "changes": {
            "type": "object",
            "description": "Dotted path → [before, after].",
            "additionalProperties": {"type": "array", "minItems": 2, "maxItems": 2},
        },
        "payload": {"type": "object"},
        "original": {"type": "object", "description": "As recorded, where it is understood otherwise today."},
        "personal": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


def array_of(items: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a list of these."""
    return {"type": "array", "items": items}


def shown(plural: str, nested: tuple[str, ...]) -> dict[str, Any]:
    """Return the schema of one contract, claim or complaint, with the lists that stand in it."""
    rows = {name: row_schema(listing) for name, listing in LISTINGS.items()}
    row = rows[plural]
    lists = {name: array_of(rows.get(name, {"type": "object"})) for name in nested}
    persons = {"persons": array_of({"type": "object", "required": ["person"]})}
    properties = row["properties"] | lists | persons
    return row | {"required": sorted({*row["required"], *nested}), "properties": properties}


LONGEST_REASON: Final = 500
WORDS: Final = (
    "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\u0000-\\u0020\\u007f-\\u00a0][^\\u0000-\\u001f\\u007f-\\u009f]*$"
)
"""One line that says something."""


Reason = Annotated[
    str,
    Header(
        alias="Access-Reason",
        min_length=1,
        max_length=LONGEST_REASON,
        json_schema_extra={"pattern": WORDS},
        description="Why personal values are opened; kept for good, so name nobody in it.",
        examples=["call of the policyholder"],
    ),
]
Own = Annotated[bool, Query(description="A contract's own events only, without its claims' and complaints'.")]


def routes(_wiring: App) -> APIRouter:
    """Return the routes of single contracts, claims and complaints."""
    router = APIRouter(prefix=PREFIX, tags=["views"])
    for kind in RECORDS.values():
        one = f"/{kind.plural}/{{number:number}}"
        listed = {"content": {"application/json": {"schema": array_of(REPLAYED)}}, "headers": POSITION_HEADER}
        for path, name, endpoint in (
            (f"{one}/replay/opened", "opened_replay", _opened_replay(kind)),
            (f"{one}/replay", "replay", _replay(kind)),
        ):
            _add(router, path, f"{name}_{kind.kind}", endpoint, listed)
        told = {"content": {"application/json": {"schema": array_of(EVENT)}}, "headers": POSITION_HEADER}
        _add(router, f"{one}/history", f"history_{kind.kind}", _history(kind), told)
        answer = {
            "content": {"application/json": {"schema": shown(kind.plural, kind.nested)}},
            "headers": POSITION_HEADER | ETAG,
        }
        if kind.kind != "complaint":  # What a complaint says of a person stands in its replay alone.
            _add(router, f"{one}/opened", f"opened_{kind.kind}", _opened(kind), answer)
        _add(router, one, f"show_{kind.kind}", _show(kind), answer)
    return router


def _add(
    router: APIRouter, path: str, operation_id: str, endpoint: Callable[..., Any], answer: dict[str, Any]
) -> None:
    router.get(
        path,
        summary=str(endpoint.__doc__).partition("\n")[0].removesuffix("."),
        operation_id=operation_id,
        response_model=None,
        responses=described({200: answer}, 404, 410, 422, 503),
    )(endpoint)


def _number(kind: RecordKind) -> Any:  # noqa: ANN401  # an annotation
    return Annotated[
        Name,
        Path(
            description=f"Number of the {kind.kind}.",
            examples=["CC-1" if kind.kind == "contract" else "CL-1"],
        ),
    ]


def _show(kind: RecordKind) -> Callable[..., Any]:
    async def show(
        request: Request,
        _book: Book,
        caller: Annotated[Caller, needs("read")],
        number: _number(kind),  # type: ignore[valid-type]  # an annotation made for the kind
        time: RequestedTime,
    ) -> Response:
        return await _answer(request, caller, kind, number, time)

    show.__doc__ = f"Show one {kind.kind}, persons as their ids."
    return show


def _opened(kind: RecordKind) -> Callable[..., Any]:
    async def opened(  # a parameter each
        request: Request,
        _book: Book,
        caller: Annotated[Caller, needs("names")],
        number: _number(kind),  # type: ignore[valid-type]  # as above
        time: RequestedTime,
        access_reason: Reason,
    ) -> Response:
        access = Access(caller.actor, f"http {kind.kind} show", reason(access_reason))
        return await _answer(request, caller, kind, number, time, access)

    opened.__doc__ = f"Show one {kind.kind} with its persons' names; the access log says so."
    return opened


async def _answer(  # who, what, when and why
    request: Request, caller: Caller, kind: RecordKind, number: str, time: Time, access: Access | None = None
) -> Response:
    def tell(reader: PagedReader) -> tuple[dict[str, object], str, bool]:
        try:
            shown = kind.show(reader, number)
        except Rejected as error:
            raise no_such(reader, kind.kind, number) from error
        stream = StreamRef(kind.kind, number)
        version = version_at(reader.connection, reader.book, stream, reader.position)
        etag = f'"{version}"'
        is_known = access is None and has_already(request, etag) and _is_its_newest(reader, stream, shown)
        return shown, etag, is_known

    (shown, etag, is_known), position = await read(request, caller, kind.views, time, tell, access)
    answer = JSONResponse(plain_json(shown), headers={POSITION: str(position), "ETag": etag})
    return not_modified(answer) if is_known else answer


def _is_its_newest(reader: Reader, stream: StreamRef, shown: Mapping[str, object]) -> bool:
    """Whether nothing happened around a stream since its own last event.

    What is shown of it holds something of its contract, and of what else belongs to that: only then does the
    version of the stream alone say which answer it is.
    """
    around = belonging(reader.connection, reader.book, str(shown["contract"]), reader.position)
    newest = last_positions(reader.connection, reader.book, {stream, *around}, reader.position)
    return max(newest.values()) == newest[stream]


def _history(kind: RecordKind) -> Callable[..., Any]:
    async def events(  # a parameter each
        request: Request,
        _book: Book,
        caller: Annotated[Caller, needs("read")],
        number: _number(kind),  # type: ignore[valid-type]  # as above
        time: RequestedTime,
        *,
        own: Own = False,
    ) -> Response:
        return await _told(
            request, caller, kind, number, time, lambda reader, stream: history(reader, stream, own=own)
        )

    events.__doc__ = f"List the events of one {kind.kind}, oldest first."
    return events


def _replay(kind: RecordKind) -> Callable[..., Any]:
    async def events(  # a parameter each
        request: Request,
        _book: Book,
        caller: Annotated[Caller, needs("read")],
        number: _number(kind),  # type: ignore[valid-type]  # as above
        time: RequestedTime,
        *,
        own: Own = False,
    ) -> Response:
        return await _told(
            request, caller, kind, number, time, lambda reader, stream: replay(reader, stream, own=own)
        )

    events.__doc__ = f"Tell the history of one {kind.kind} event by event, and what each changed."
    return events


def _opened_replay(kind: RecordKind) -> Callable[..., Any]:
    async def events(  # a parameter each
        request: Request,
        _book: Book,
        caller: Annotated[Caller, needs("names")],
        number: _number(kind),  # type: ignore[valid-type]  # as above
        time: RequestedTime,
        access_reason: Reason,
        *,
        own: Own = False,
    ) -> Response:
        access = Access(caller.actor, "http replay", reason(access_reason))
        tell = partial(replay, own=own)
        return await _told(request, caller, kind, number, time, tell, access)

    events.__doc__ = f"Tell the history of one {kind.kind} with personal values; the access log says so."
    return events


async def _told(  # who, what, when, how and why
    request: Request,
    caller: Caller,
    kind: RecordKind,
    number: str,
    time: Time,
    tell: Callable[[Reader, StreamRef], object],
    access: Access | None = None,
) -> Response:
    def told(reader: PagedReader) -> object:
        try:
            return tell(reader, StreamRef(kind.kind, number))
        except Rejected as error:
            raise no_such(reader, kind.kind, number) from error

    events, position = await read(request, caller, BELONGING, time, told, access)
    return JSONResponse(plain_json(events), headers={POSITION: str(position)})


def reason(said: str) -> str:
    """Read why personal values are opened: one line of words. Raises Problem."""
    try:
        text = said.encode("latin-1").decode("utf-8").strip()
    except UnicodeError:
        text = said.strip()
    if not text or len(text) > LONGEST_REASON or not re.match(WORDS, text):
        message = f"Access-Reason: give 1 to {LONGEST_REASON} characters in one line, without anybody's name."
        raise Problem("INVALID", message)
    return text
