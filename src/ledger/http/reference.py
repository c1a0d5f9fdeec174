"""The OpenAPI document as a page for people, at `/docs`: no script, nothing loaded from elsewhere."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from fastapi import APIRouter, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from ledger.http.openapi import RIGHT, operations
from ledger.rights.roles import OPEN, RIGHTS, ROLES
from ledger.wiring import Wiring

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


def routes(_wiring: Wiring) -> APIRouter:
    """Give the routes of the reference (group `coverledger.routes`)."""
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
    """Give the page's style."""
    text = files("ledger.http").joinpath("reference.css").read_text(encoding="utf-8")
    return Response(text, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


@lru_cache(maxsize=1)
def _template() -> Any:  # noqa: ANN401  # a template of jinja2
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
