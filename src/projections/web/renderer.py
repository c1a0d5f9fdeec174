"""Pages as HTML: their addresses, their templates, and the files shipped with them."""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any, Final

from fastapi import APIRouter, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response

from ledger.http.parameters import tagged
from ledger.http.problems import Problem
from ledger.http.state import number_in
from projections.web.i18n.codes import N_, of_code, of_contact, of_event, of_status
from projections.web.i18n.language import LANGUAGES, Words
from projections.web.i18n.problems import BadParameter
from projections.web.presenters.tables import TABLES

_PLAIN = re.compile(r"[A-Za-z0-9_-]")
NO_TEXT = N_("The number in the address is not written as text: go by a link of the site.")

PAGES_BESIDE = frozenset({"new"})
"""Pages that stand where numbers do."""

_ESCAPED = re.compile(r"~([0-9A-F]{2})")


def in_address(number: str) -> str:
    """Write a number as one step of an address: what is no plain letter or digit as `~2F`.

    So `A/1.json`, which is a number too, is told from the JSON of `A/1`, and `new` from a page of that name.
    """
    return "".join(
        character
        if _PLAIN.match(character) and number not in PAGES_BESIDE
        else "".join(f"~{byte:02X}" for byte in character.encode())
        for character in number
    )


def from_address(step: str) -> str:
    """Read a number back; whatever was not escaped stands for itself.

    Raises `UsageError` for escapes that are no text.
    """
    step = number_in(step)
    read = bytearray()
    end = 0
    for escape in _ESCAPED.finditer(step):
        read += step[end : escape.start()].encode()
        read.append(int(escape[1], 16))
        end = escape.end()
    read += step[end:].encode()
    try:
        number = read.decode()
    except UnicodeDecodeError as error:
        raise BadParameter(NO_TEXT) from error
    if "\0" in number:
        raise BadParameter(NO_TEXT)
    return number


def contract_page(number: object) -> str:
    """Return the address of a contract's page."""
    return f"/contracts/{in_address(str(number))}"


def claim_page(number: object) -> str:
    """Return the address of a claim's page."""
    return f"/claims/{in_address(str(number))}"


def complaint_page(number: object) -> str:
    """Return the address of a complaint's page."""
    return f"/complaints/{in_address(str(number))}"


PAGES = {"contract": contract_page, "claim": claim_page, "complaint": complaint_page}


def page_of(name: str) -> str:
    """Return the page of a stream or subject: `claim/CL-1` or `claim:CL-1`."""
    kind, number = re.split(r"[/:]", name, maxsplit=1)
    return PAGES[kind](number)


@cache
def environment() -> Environment:
    """Return the templates with what every page may use; made once."""
    made = Environment(
        loader=PackageLoader("projections.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {
        "LANGUAGES": LANGUAGES,
        "TABLES": TABLES,
        "static": static_address,
        "contract_page": contract_page,
        "claim_page": claim_page,
        "complaint_page": complaint_page,
        "page_of": page_of,
        "in_address": in_address,
    }
    return made


def render(template: str, words: Words, values: Mapping[str, Any]) -> str:
    """Render one page in one language."""
    spoken: dict[str, Any] = {
        "_": words,
        "words": words,
        "count": words.count,
        "code": lambda code: of_code(words, code),
        "status_of": lambda status, kind: of_status(words, status, kind),
        "contact_of": lambda contact: of_contact(words, contact),
        "event": lambda event_type: of_event(words, event_type),
    }
    return environment().get_template(template).render(spoken | dict(values))


@cache
def static_address(name: str) -> str:
    """Return the address of a shipped file; its content stands in it, so that it may be kept for ever."""
    content = (files("projections.web") / "static" / name).read_bytes()
    return f"/static/{hashlib.sha256(content).hexdigest()[:12]}/{name}"


MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
STATIC_HEADERS: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


def register_static(router: APIRouter) -> None:
    """Register the route."""
    router.get("/static/{content}/{name:path}")(shipped)


def shipped(request: Request, name: str) -> Response:
    """Return one file; an address that is not its present one leads nowhere."""
    media_type = MEDIA_TYPES.get(PurePosixPath(name).suffix)
    found = files("projections.web") / "static" / name
    if media_type is None or ".." in name or not found.is_file() or request.url.path != static_address(name):
        message = "There is no such file in the site."
        raise Problem("NOT_FOUND", message)
    return tagged(request, Response(found.read_bytes(), headers=STATIC_HEADERS, media_type=media_type))
