"""Files shipped with the site: styles, scripts, the icon. Browsers keep them for ever, by their content."""

from importlib.resources import files
from pathlib import PurePosixPath
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from ledger.http.parameters import tagged
from ledger.http.problems import Problem
from projections.web.rendering import static_address

MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HEADERS: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


def register(router: APIRouter) -> None:
    """Register the route."""
    router.get("/static/{content}/{name:path}")(shipped)


def shipped(request: Request, name: str) -> Response:
    """Give one file; an address that is not its present one leads nowhere."""
    media_type = MEDIA_TYPES.get(PurePosixPath(name).suffix)
    found = files("projections.web") / "static" / name
    if media_type is None or ".." in name or not found.is_file() or request.url.path != static_address(name):
        message = "There is no such file in the site."
        raise Problem("NOT_FOUND", message)
    return tagged(request, Response(found.read_bytes(), headers=HEADERS, media_type=media_type))
