"""Errors as RFC 9457 problem+json: a stable `type` for programs, one line for people.

A `type` is a path of this ledger, `/problems/LIMIT_COUNT`, which leads to what it means.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from ledger.domain.refusals import REFUSALS

MEDIA_TYPE: Final = "application/problem+json"
BASE: Final = "/problems/"


class ProblemKind(NamedTuple):
    """One kind of problem: its status, and what it means."""

    status: int
    title: str
    rule: str | None = None
    """The rule that a refusal of this kind rests on, as docs/rules.md has it."""

    @property
    def documentation(self) -> str | None:
        """Where the rule is explained: its heading in the repository's docs/rules.md."""
        return self.rule and f"docs/rules.md#{self.rule.lower().replace(' ', '-')}"


KINDS: Final[Mapping[str, ProblemKind]] = {
    "BAD_REQUEST": ProblemKind(400, "The request is not as HTTP or JSON have it"),
    "IDEMPOTENCY_KEY": ProblemKind(400, "A command needs its id in the header Idempotency-Key"),
    "UNAUTHENTICATED": ProblemKind(401, "The call shows no credential that is in force"),
    "FORBIDDEN": ProblemKind(403, "The caller's role lacks the right that the route needs"),
    "CROSS_SITE_REQUEST": ProblemKind(
        403, "A page of another site may not act for whoever is signed in here"
    ),
    "NOT_FOUND": ProblemKind(404, "There is nothing here"),
    "NOTHING_KNOWN": ProblemKind(404, "By the time asked for the ledger knew of nothing yet"),
    "METHOD_NOT_ALLOWED": ProblemKind(405, "The route does not take this method"),
    "NOT_ACCEPTABLE": ProblemKind(406, "The route cannot answer in a media type that is accepted"),
    "SLOW": ProblemKind(408, "The request took longer to come than it may"),
    "CURSOR_GONE": ProblemKind(410, "The log was put back since, and parts before the cursor"),
    "STALE": ProblemKind(412, "The stream has moved on from the version in If-Match"),
    "TOO_LARGE": ProblemKind(413, "The body is larger than a command may be"),
    "MEDIA_TYPE": ProblemKind(415, "The body must be application/json"),
    "INVALID": ProblemKind(422, "The request is malformed, whatever the ledger holds"),
    "ID_REUSED": ProblemKind(422, "The command id stands for another command already", "I10"),
    "TOO_MANY_STREAMS": ProblemKind(429, "No further stream of events is served for now"),
    "HEAD_TOO_LARGE": ProblemKind(431, "The request's address and headers are larger than they may be"),
    "INTERNAL_ERROR": ProblemKind(500, "The ledger failed; it is in its log"),
    "BUSY": ProblemKind(503, "More connections are open than are served at once"),
    "UNAVAILABLE": ProblemKind(503, "The ledger cannot answer for now"),
    "NO_ROOM": ProblemKind(503, "The ledger has no room to record for now"),
    "VIEW_LAGGING": ProblemKind(503, "The view has not caught up with the position asked for"),
    "IMPORT_OPEN": ProblemKind(409, "An import holds the book", "import"),
    "SUBJECT_ERASED": ProblemKind(
        409, "The person was erased: nothing personal is recorded on them any more", "subject erase"
    ),
} | {
    code: ProblemKind(409, " ".join((refusal.__doc__ or code).split()).removesuffix("."), refusal.rule)
    for code, refusal in REFUSALS.items()
}
"""Every kind of problem by its code; those of refusals bear the refusal's own code and definition."""

_CHOICES: Final = re.compile(r"\^\(([a-z_|]+)\)\$")

_BY_STATUS: Final = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    413: "TOO_LARGE",
    415: "MEDIA_TYPE",
    422: "INVALID",
    503: "UNAVAILABLE",
}


class Problem(HTTPException):
    """The request cannot be served; says what is wrong and what to do next."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> None:
        """`code`: one of KINDS. `more`: further members of the problem, such as `rule`."""
        super().__init__(KINDS[code].status, detail, dict(headers or {}))
        self.code = code
        self.more = more

    @property
    def body(self) -> dict[str, object]:
        """The problem as it is written."""
        return {
            "type": f"{BASE}{self.code}",
            "title": KINDS[self.code].title,
            "status": self.status_code,
            "detail": self.detail,
            "code": self.code,
        } | {name: value for name, value in self.more.items() if value is not None}


def problem_response(problem: Problem) -> JSONResponse:
    """Write a problem down."""
    headers = {"Cache-Control": "no-store"} | dict(problem.headers or {})
    return JSONResponse(problem.body, problem.status_code, headers, MEDIA_TYPE)


async def answer_problem(request: Request, error: Exception) -> Response:
    """Answer a problem, or what the framework raises, as problem+json."""
    if isinstance(error, Problem):
        return problem_response(error)
    if isinstance(error, RequestValidationError):
        return problem_response(Problem("INVALID", faults(error.errors())))
    if isinstance(error, HTTPException):
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            return _other_method(request, error)
        code = _BY_STATUS.get(error.status_code, "BAD_REQUEST")
        problem = Problem(code, _said(error), headers=error.headers)
        problem.status_code = error.status_code
        return problem_response(problem)
    raise error


def _other_method(request: Request, error: HTTPException) -> Response:
    """Return which methods an address takes, to who asks for them (OPTIONS) or is refused another one."""
    takes = {"OPTIONS"}
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
            takes |= {method, "HEAD"} if method == "GET" else {method}
    allow = {"Allow": ", ".join(sorted(takes))}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=allow)
    return problem_response(Problem("METHOD_NOT_ALLOWED", _said(error), headers=allow))


def faults(errors: Any) -> str:  # noqa: ANN401  # pydantic's own shape
    """Put what is wrong with the parameters of a request into one line; never the values themselves."""
    told = []
    for fault in errors:
        context = fault.get("ctx", {})
        place, said = ".".join(str(step) for step in fault["loc"][1:]), str(fault["msg"])
        choices = _CHOICES.fullmatch(str(context.get("pattern", "")))
        if choices:
            said = f"must be one of {choices[1].replace('|', ', ')}"
        elif fault["type"] == "missing":
            said = "is missing; give it"
        elif fault["type"] == "value_error":
            said = str(context["error"])
        told.append(f"{place}: {said}" if place else said)
    return " ".join("; ".join(told).split())


def _said(error: HTTPException) -> str:
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return "There is no such route or thing: see /openapi.json for what there is."
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return "The route does not take this method: see /openapi.json for those that it takes."
        case _:
            return str(error.detail)
