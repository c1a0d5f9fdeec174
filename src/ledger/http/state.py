"""What a request finds in the application, and the book that stands in its address."""

from itertools import pairwise
from threading import Event as StopEvent
from typing import Annotated, Final
from urllib.parse import quote, unquote

from fastapi import Depends, FastAPI, Path, Request
from starlette.convertors import Convertor, register_url_convertor
from starlette.types import Scope

from ledger.app import App
from ledger.http.problems import Problem


def drain(app: FastAPI) -> None:
    """End whatever would go on for ever: the server is about to stop."""
    app.state.draining.set()


def is_draining(request: Request) -> bool:
    """Return whether the server is about to stop."""
    draining: StopEvent = request.app.state.draining
    return draining.is_set()


def wiring_of(request: Request) -> App:
    """Return the wiring that the application serves."""
    wiring: App = request.app.state.wiring
    return wiring


PREFIX = "/v1/{book}"

NUMBERED: Final = frozenset({"contracts", "claims", "complaints"})
"""Steps of an address after which a number stands, as one step: what is a slash in it is written `%2F`."""

SLASH: Final = "\udc2f"
"""Stands for a slash within a number while the routers look for slashes: no address decodes to it."""


def served_book(request: Request, book: str) -> str:
    """Ensure that a book is the one that is served. Raises Problem."""
    served = wiring_of(request).book
    if book != served:
        message = f"This address serves the book {served}: write /v1/{served}/…"
        raise Problem("NOT_FOUND", message)
    return served


async def _served_book(
    request: Request, book: Annotated[str, Path(description="The book of business.", examples=["cyber-care"])]
) -> str:
    return served_book(request, book)


Book = Annotated[str, Depends(_served_book)]
"""The book that is served; any other is not found."""


class NumberStep(Convertor[str]):
    """A number as one step of an address, `{number:number}`."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        """Read the number."""
        return number_in(value)

    def to_string(self, value: str) -> str:
        """Write the number."""
        return number_step(value)


register_url_convertor("number", NumberStep())


def number_in(step: str) -> str:
    """Read a number from a step of an address that the routers have found."""
    return step.replace(SLASH, "/")


def number_step(number: str) -> str:
    """Write a number as one step of an address, which no program takes for a step up."""
    return quote(number, safe="") if number.strip(".") else number.replace(".", "%2E")


def with_whole_numbers(scope: Scope) -> Scope:
    """Hide the slashes within numbers from the routers, which look at what was decoded.

    The server keeps its own scope as it is: it writes the path down.
    """
    raw: bytes = scope.get("raw_path") or b""
    if b"%2f" not in raw.lower():
        return scope
    steps = [unquote(step) for step in raw.partition(b"?")[0].decode("latin-1").split("/")]
    kept = [
        step.replace("/", SLASH) if before in NUMBERED else step for before, step in pairwise(["", *steps])
    ]
    return {**scope, "path": "/".join(kept)}
