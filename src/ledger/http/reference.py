"""What is looked up: the reference at `/docs`, schemas of events, AsyncAPI, kinds of problems."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, JSONResponse, Response

from ledger.app import App
from ledger.auth.roles import OPEN, RIGHTS, ROLES, Caller
from ledger.feed.publish import SchemaUnknown, asyncapi_document, schema_of
from ledger.http.callers import needs
from ledger.http.openapi import RIGHT, operations
from ledger.http.openapi_responses import described
from ledger.http.parameters import tagged
from ledger.http.problems import BASE, KINDS, Problem
from ledger.http.state import PREFIX, Book, wiring_of

SCHEMA = "application/schema+json"

ANY_OBJECT: dict[str, Any] = {"schema": {"type": "object"}}


def catalog_routes(_wiring: App) -> APIRouter:
    """Return the routes of the catalog."""
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


STYLE: Final = "/docs/reference.css"
POLICY: Final = (
    "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

_CODE: Final = re.compile("`([^`]+)`")

PARTS: Final[Mapping[str, str]] = {
    "commands": "Commands",
    "views": "Views",
    "feed": "The feed",
    "log": "The log",
    "catalog": "Schemas and problems",
    "health": "Health",
}
"""The document's tags, in the order in which the page shows them."""


def routes(_wiring: App) -> APIRouter:
    """Return the routes of the reference."""
    router = APIRouter(include_in_schema=False)
    router.get("/docs")(reference)
    router.get(STYLE)(style)
    return router


async def reference(request: Request) -> Response:
    """Show every operation with its right, its parameters and an example. Open to all, as the document is."""
    document = request.app.openapi()
    page = _template().render(
        version=document["info"]["version"],
        parts=[(title, _of_tag(document, tag)) for tag, title in PARTS.items()],
        rights=RIGHTS,
        roles={role: sorted(rights) for role, rights in ROLES.items()},
        style=STYLE,
        open=OPEN,
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})


async def style() -> Response:
    """Return the page's style."""
    text = files("ledger.http").joinpath("reference.css").read_text(encoding="utf-8")
    return Response(text, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("ledger.http", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["marked"] = _marked
    return environment.get_template("reference.html")


def _marked(text: str) -> Markup:
    """Set in code what stands between backticks; all else is escaped."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704  # escaped before


def _of_tag(document: dict[str, Any], tag: str) -> Sequence[dict[str, Any]]:
    return [
        {
            "id": operation["operationId"],
            "method": method.upper(),
            "path": path,
            "right": operation[RIGHT],
            "summary": operation.get("summary", path),
            "about": operation.get("description", ""),
            "parameters": [
                _parameter(one) for one in operation.get("parameters", ()) if one["name"] != "book"
            ],
            "example": _example(operation),
            "answers": [(status, said["description"]) for status, said in operation["responses"].items()],
        }
        for method, path, operation in operations(document)
        if tag in operation.get("tags", ())
    ]


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": parameter["name"],
        "where": parameter["in"],
        "required": parameter.get("required", False),
        "about": parameter.get("description", ""),
    }


def _example(operation: dict[str, Any]) -> str:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    return "" if body is None else json.dumps(body, indent=2, ensure_ascii=False)
