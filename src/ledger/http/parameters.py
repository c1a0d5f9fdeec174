"""What requests say besides their bodies: parameters, cursors of the feed, conditions.

One that was mistyped would narrow nothing down, and the answer would hold more than was asked for.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from hashlib import sha256
from time import monotonic
from typing import Final, get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.security import APIKeyQuery
from starlette.datastructures import QueryParams
from starlette.responses import Response

from ledger.domain.registry import EVENT_TYPES
from ledger.feed.publish import published_types
from ledger.feed.reader import (
    FIRST_EPOCH,
    BeyondTheEnd,
    Cursor,
    EpochsPart,
    EpochUnknown,
    NotACursor,
    check_position,
    present_epoch,
)
from ledger.http.problems import Problem
from ledger.imports.lines import shortened
from ledger.store.pool import Pool

MOST_NAMED: Final = 5


async def refuse_unknown(request: Request) -> None:
    """Refuse an address with parameters that an operation open to all does not know. Raises Problem.

    Where a right is needed, that is settled first (`callers`). Pages look at their parameters themselves.
    """
    route = request.scope["route"]
    if not any(inner.own_oauth_scopes for inner in route.dependant.dependencies):
        check_operation(request)


def check_operation(request: Request) -> None:
    """Ensure that the operation knows the address's parameters, if it is described. Raises Problem."""
    route = request.scope["route"]
    if getattr(route, "include_in_schema", False):
        check_parameters(request.query_params, dict(_parameters(route.dependant)))


def check_parameters(given: QueryParams, known: Mapping[str, bool]) -> None:
    """Ensure that parameters are known. `known`: name → whether it may be said twice. Raises Problem."""
    faults = list(_faults(given, known))
    if faults:
        takes = f"Known here: {', '.join(sorted(known))}." if known else "None is known here."
        raise Problem("INVALID", f"{'; '.join(faults[:MOST_NAMED])}. {takes}")


def _faults(given: QueryParams, known: Mapping[str, bool]) -> Iterator[str]:
    names = [name for name, _ in given.multi_items()]
    for name in dict.fromkeys(names):
        if name not in known:
            near = get_close_matches(name, known, n=1)
            instead = f" (did you mean {near[0]}?)" if near else ""
            yield f"there is no parameter {shortened(name)}{instead}"
        elif names.count(name) > 1 and not known[name]:
            yield f"{name} is given {names.count(name)} times, give it once"


def _parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    for field in dependant.query_params:
        yield field.alias, get_origin(field.field_info.annotation) is list
    for inner in dependant.dependencies:
        if isinstance(inner.call, APIKeyQuery):
            yield inner.call.model.name, False
        yield from _parameters(inner)


DIGITS: Final = 32
ABOUT_THE_BODY: Final = ("content-type", "content-length", "content-disposition")


def has_already(request: Request, etag: str) -> bool:
    """Whether the client says that it has the answer with this tag (`If-None-Match`)."""
    told = request.headers.get("if-none-match", "")
    return told.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in told.split(",")}


def not_modified(answer: Response) -> Response:
    """Return the answer 304: the client has it already."""
    headers = {name: value for name, value in answer.headers.items() if name not in ABOUT_THE_BODY}
    return Response(status_code=304, headers=headers)


def tagged(request: Request, answer: Response) -> Response:
    """Tag an answer by its body, and leave that out where the client has it."""
    etag = f'"{sha256(answer.body).hexdigest()[:DIGITS]}"'
    answer.headers["ETag"] = etag
    return not_modified(answer) if has_already(request, etag) else answer


CURSOR: Final = r"^([1-9][0-9]{0,8}:)?(-1|0|[1-9][0-9]{0,17})$"
"""As the OpenAPI document describes a cursor."""

EPOCH_SECONDS: Final = 1.0
"""So long the present epoch is believed: a new one begins where the log was put back."""


class PresentEpoch:
    """The epoch of whatever is handed out. Threads may share it.

    For a moment after a new one has begun the one before may be named: whoever goes on from there is told to
    read again, and misses nothing.
    """

    def __init__(self, pool: Pool, book: str) -> None:
        """Look through `pool`."""
        self._pool = pool
        self._book = book
        self._known: tuple[float, int] = (0.0, FIRST_EPOCH)

    @property
    def known(self) -> int | None:
        """The epoch as it was found a moment ago; None: longer ago."""
        until, epoch = self._known
        return epoch if monotonic() < until else None

    def look(self) -> int:
        """Return the epoch, from the database where it is not known."""
        known = self.known
        if known is None:
            with self._pool.connection() as connection:
                known = present_epoch(connection, self._book)
            self._known = (monotonic() + EPOCH_SECONDS, known)
        return known


def read_cursor(name: str, text: str) -> Cursor:
    """Read a cursor that the parameter `name` holds; a bare position is one of the first epoch.

    Raises Problem.
    """
    try:
        return Cursor.parse(text)
    except NotACursor as error:
        raise Problem("INVALID", f"{name}: {error}.") from error


@contextmanager
def places(name: str) -> Iterator[None]:
    """Raise as problems why a reader cannot go on after the cursor that the parameter `name` holds."""
    try:
        yield
    except EpochsPart as error:
        raise Problem("CURSOR_GONE", f"{name}: {error}.", again_after=str(error.again)) from error
    except EpochUnknown as error:
        raise Problem("CURSOR_GONE", f"{name}: {error}.") from error
    except BeyondTheEnd as error:
        raise Problem("INVALID", f"{name}: {error}.") from error


def check_after(pool: Pool, book: str, cursor: Cursor) -> int:
    """Ensure that a reader of the feed may go on there; return the present epoch. Raises Problem."""
    with places("after"), pool.connection() as connection:
        return check_position(connection, book, cursor)


class TypeFilter:
    """The event types that a reader wants: by their names, or as CloudEvents call them; none named: all."""

    def __init__(self, said: Collection[str], type_prefix: str) -> None:
        """`said`: each a type, or several with commas between. Raises Problem for one that does not exist.

        `type_prefix`: of the book's CloudEvents.
        """
        types = [name for part in said for name in part.split(",") if name]
        known = {*EVENT_TYPES, *published_types(type_prefix)}
        for name in types:
            if name not in known:
                near = get_close_matches(name, known, n=1, cutoff=0.0)
                message = f"types: there is no event type {name[:80]!r}; did you mean {near[0]}?"
                raise Problem("INVALID", message)
        self._types = frozenset(types)
        self._type_prefix = type_prefix

    @property
    def names(self) -> frozenset[str] | None:
        """Stable names to ask the database for; None: all."""
        if not self._types:
            return None
        return frozenset(
            name.removeprefix(f"{self._type_prefix}.").rpartition(".v")[0]
            if name not in EVENT_TYPES
            else name
            for name in self._types
        )

    def take(self, name: str, published: str) -> bool:
        """Return whether an event is wanted."""
        return not self._types or name in self._types or published in self._types
