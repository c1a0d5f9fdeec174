"""Parameters in addresses: what an operation does not know is refused, and so is what is said twice.

One that was mistyped would narrow nothing down, and the answer would hold more than was asked for.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_origin

from fastapi import Request
from fastapi.security import APIKeyQuery
from starlette.datastructures import QueryParams

from ledger.http.problems import Problem
from ledger.importing.envelope import shortened

MOST_NAMED: Final = 5


async def refuse_unknown(request: Request) -> None:
    """Refuse an address with parameters that an operation open to all does not know. Raises Problem.

    Where a right is needed, that is settled first (`callers`). Pages look at their parameters themselves.
    """
    route = request.scope["route"]
    if not any(inner.own_oauth_scopes for inner in route.dependant.dependencies):
        check_operation(request)


def check_operation(request: Request) -> None:
    """Make sure that the operation knows the address's parameters, if it is described. Raises Problem."""
    route = request.scope["route"]
    if getattr(route, "include_in_schema", False):
        check_parameters(request.query_params, dict(_parameters(route.dependant)))


def check_parameters(given: QueryParams, known: Mapping[str, bool]) -> None:
    """Make sure that parameters are known. `known`: name → whether it may be said twice. Raises Problem."""
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


def _parameters(dependant: Any) -> Iterator[tuple[str, bool]]:  # noqa: ANN401  # the framework's own
    for field in dependant.query_params:
        yield field.alias, get_origin(field.field_info.annotation) is list
    for inner in dependant.dependencies:
        if isinstance(inner.call, APIKeyQuery):
            yield inner.call.model.name, False
        yield from _parameters(inner)
