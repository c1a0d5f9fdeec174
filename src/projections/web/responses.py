"""How a page is served: who may, in which language, as HTML or as the JSON that the command line prints."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from ledger.app import App
from ledger.auth.roles import Right
from ledger.errors import ClockBehind, Rejected, Unavailable, UsageError
from ledger.feed.reader import EpochsPart, EpochUnknown
from ledger.http.callers import SESSION_COOKIE, program, refuse_from_elsewhere, visitor
from ledger.http.problems import Problem
from ledger.http.state import SLASH
from ledger.imports.json_lines import TooDeep, json_object
from ledger.imports.lines import Malformed, decoded
from ledger.store.retry import has_no_room, passes_by_itself
from projections.queries.reader import NothingKnown, plain_json
from projections.web.i18n.codes import N_
from projections.web.i18n.language import LANGUAGES, Language, preferred, words
from projections.web.i18n.problems import BadParameter, explained
from projections.web.page import PageRequest, page_of_request
from projections.web.renderer import from_address, render
from projections.web.session_user import Visitor
from projections.web.time_params import AskedTime, read_asked

LANGUAGE_COOKIE: Final = "claims-ledger-language"
A_YEAR_SECONDS: Final = 365 * 86_400
MOST_FIELDS: Final = 60
NO_OBJECT: Final = N_("What was sent is no JSON object of texts: send the fields of the form, each once.")
NO_CHARACTER: Final = N_(
    "What was asked holds a character that no text has: go by a link or a form of the site."
)
NO_FILTER: Final = N_("“%(name)s” narrows nothing down here: go by the page's own form, or leave it out.")
TWICE: Final = N_("“%(name)s” stands in the address more than once: leave one.")
LONGEST_NAMED: Final = 40

TIME: Final = ("as_of", "on")
"""Of a page that shows what was known, or how things stood, at another time."""
ALWAYS: Final = frozenset({"language"})

AGAIN_SECONDS: Final = "2"
BEHIND: Final = N_(
    "The ledger's clock stands before what is recorded here already. Nothing was recorded: try again in a "
    "few minutes, and tell whoever runs the ledger."
)
AWAY: Final = N_("The ledger's database is away for the moment. Nothing was recorded: try again in a minute.")
NO_ROOM: Final = N_(
    "The ledger's disk is full for the moment. Nothing was recorded: try again in a few minutes."
)

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Nothing is loaded from elsewhere, nothing stands inline, no other site frames a page."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page to render: its template and what that is told."""

    template: str
    values: Mapping[str, Any]
    status: int = HTTPStatus.OK


@dataclass(frozen=True, slots=True)
class Leads:
    """An answer that leads on to another page."""

    to: str


@dataclass(frozen=True, slots=True)
class Download:
    """A file to keep."""

    name: str
    content: str | bytes | Iterator[bytes]
    """Some bytes at a time where it may be large."""
    media_type: str


Answer = Shown | Leads | Download
Show = Callable[[PageRequest], Answer]
AsJson = Callable[[PageRequest], object]


class Pages:
    """Registers pages on a router. A page for which a visitor lacks the right says so, and how to get it."""

    def __init__(self, wiring: App, router: APIRouter) -> None:
        """Serve the book of `wiring`."""
        self._wiring = wiring
        self._router = router

    def page(  # noqa: PLR0913  # a page is made of so many parts
        self,
        path: str,
        show: Show,
        as_json: AsJson | None = None,
        *,
        right: Right | None = "read",
        takes: Iterable[str] = (),
        json_takes: Iterable[str] = (),
    ) -> None:
        """Register a page, with its JSON beside it. `right`: None for everybody.

        `takes`: the parameters that its address may have, and `json_takes` those of its JSON beside them; any
        other would seem to narrow down what is shown, and is refused.
        """
        known = ALWAYS | frozenset(takes)
        if as_json is not None:
            beside = "/today.json" if path == "/" else f"{path}.json"
            of_json = known | frozenset(json_takes)
            self._router.get(beside)(self._endpoint(lambda look: _json(as_json(look)), right, of_json))
        self._router.get(path)(self._endpoint(show, right, None if right is None else known))

    def form(self, path: str, take: Show, *, right: Right | None) -> None:
        """Register what takes a form. One that does not come from a page of ours is refused."""
        self._router.post(path)(self._endpoint(take, right))

    def question(self, path: str, show: Show, as_json: AsJson, *, right: Right) -> None:
        """Register a form that asks for what may stand in no address, with its JSON at `PATH.json`.

        Both are sent by POST, the JSON's fields as a form or as one JSON object.
        """
        self.form(path, show, right=right)
        self._router.post(f"{path}.json")(self._endpoint(lambda look: _json(as_json(look)), right))

    def _endpoint(
        self,
        show: Callable[[PageRequest], Answer | Response],
        right: Right | None,
        takes: Collection[str] | None = None,
    ) -> Callable[..., Any]:
        async def endpoint(request: Request) -> Response:
            body = await request.body() if request.method == "POST" else b""
            return await run_in_threadpool(self._answer, request, body, show, right, takes)

        return endpoint

    def _answer(
        self,
        request: Request,
        body: bytes,
        show: Callable[[PageRequest], Answer | Response],
        right: Right | None,
        takes: Collection[str] | None,
    ) -> Response:
        """Answer. `takes`: parameters of the address; None: whichever, for they say nothing there."""
        is_json = request.url.path.endswith(".json")
        look: PageRequest | None = None
        try:
            look = self._look(request)
            look = replace(look, typed=_typed(body, request.headers.get("content-type", "")))
            _refuse_nul(look)
            self._admit(request, look, right)
            if takes is not None:
                _refuse_unknown(request, takes)
            answer = show(replace(look, asked=read_asked(look.query)))
        except Exception as error:
            passes = passes_by_itself(error)
            if not isinstance(error, FAILURES) and not passes:
                raise
            if is_json:
                raise _problem(error) from error
            if look is None or passes or isinstance(error, Unavailable):
                return _not_now(request, _why_not_now(error))
            answer = _failed(look, error)
        return _with_language(request, look, _response(look, answer))

    def _look(self, request: Request) -> PageRequest:
        session = request.cookies.get(SESSION_COOKIE)
        caller = visitor(request) or program(request)
        settings = self._wiring.settings
        return PageRequest(
            wiring=self._wiring,
            visitor=Visitor(caller, session if caller else None),
            words=words(_language(request)),
            path=quote(request.url.path.replace(SLASH, "~2F"), safe="/~"),
            query=dict(request.query_params),
            steps=request.path_params,
            asked=AskedTime(),
            is_fragment="hx-request" in request.headers,
            address=request.client.host if request.client else "",
            origin=settings.http_url or f"{request.url.scheme}://{request.headers.get('host', '')}",
        )

    def _admit(self, request: Request, look: PageRequest, right: Right | None) -> None:
        """Admit whoever may enter. Raises _Unadmitted."""
        if right is not None and not look.visitor.is_known:
            message = "Sign in first: follow a sign-in link."
            raise _Unadmitted("UNAUTHENTICATED", message)
        if right is not None and not look.visitor.may(right):
            message = f"Your role lacks the right `{right}` that this needs."
            raise _Unadmitted("FORBIDDEN", message)
        if request.method == "POST":
            try:
                refuse_from_elsewhere(request)
            except Problem as error:
                raise _Unadmitted("CROSS_SITE_REQUEST", str(error.detail)) from error
            # Whoever shows a token by itself needs no form of ours: no browser sends it unasked.
            is_program = look.visitor.session is None and request.url.path.endswith(".json")
            carried = look.typed.get("csrf", "")
            if right is not None and not is_program and not look.visitor.sent_by_our_form(carried):
                message = "The form is not one of this session: open the page again."
                raise _Unadmitted("CROSS_SITE_REQUEST", message)


class _Unadmitted(Exception):
    """The visitor may not see or do this."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


FAILURES: Final = (_Unadmitted, UsageError, Rejected, Unavailable)
"""What a page says in words, and its JSON as a problem, besides what passes by itself; else a defect."""


class _TooDeep(BadParameter):
    """The JSON of a request is nested deeper than any."""


def _typed(body: bytes, media_type: str) -> Mapping[str, str]:
    """Read what a form carries, or a program's JSON object of texts. Raises `BadParameter`."""
    try:
        if media_type.startswith("application/json"):
            told = json_object(decoded(body, 1))
        else:
            text = body.decode("utf-8")
            fields = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
            told = dict(fields)
            if len(told) < len(fields):
                raise BadParameter(NO_OBJECT)
    except TooDeep as error:
        raise _TooDeep(NO_OBJECT) from error
    except (ValueError, Malformed) as error:
        raise BadParameter(NO_OBJECT) from error
    read = {name: value for name, value in told.items() if isinstance(value, str)}
    if len(read) < len(told):
        raise BadParameter(NO_OBJECT)
    return read


_PROBLEMS: Final[Mapping[type[Exception], str]] = {
    _TooDeep: "BAD_REQUEST",
    UsageError: "INVALID",
    NothingKnown: "NOTHING_KNOWN",
    Rejected: "NOT_FOUND",
}
"""What programs are told of an error, the most particular first."""


def _problem(error: Exception) -> Exception:
    """Return the problem that says it to programs."""
    if isinstance(error, _Unadmitted):
        return Problem(error.code, str(error))
    if isinstance(error, (EpochsPart, EpochUnknown)):
        again = str(error.again) if isinstance(error, EpochsPart) else None
        return Problem("CURSOR_GONE", f"{error}.", again_after=again)
    for kind, code in _PROBLEMS.items():
        if isinstance(error, kind):
            return Problem(code, str(error))
    return error


def _failed(look: PageRequest, error: Exception) -> Shown:
    """Return the page that says it to people."""
    page = page_of_request(look, "", has_json=False)
    if isinstance(error, _Unadmitted):
        status = HTTPStatus.UNAUTHORIZED if error.code == "UNAUTHENTICATED" else HTTPStatus.FORBIDDEN
        told = {
            "page": page,
            "code_of_error": error.code,
            "detail": str(error),
            "organisation": look.wiring.settings.oidc_client_id is not None,
        }
        return Shown("unadmitted.html", told, status)
    is_missing = isinstance(error, Rejected)
    heading = N_("Not there") if is_missing else N_("That cannot be shown")
    status = HTTPStatus.NOT_FOUND if is_missing else HTTPStatus.BAD_REQUEST
    number = from_address(look.steps["number"]) if is_missing and "number" in look.steps else None
    detail = explained(look.words, error, look.path, number, look.query)
    return Shown("failed.html", {"page": page, "heading": heading, "detail": detail}, status)


def _why_not_now(error: Exception) -> str:
    if isinstance(error, ClockBehind):
        return BEHIND
    return NO_ROOM if has_no_room(error) else AWAY


def _not_now(request: Request, why: str) -> Response:
    """Return why nothing can be done for the moment, on a page that needs nothing of the database."""
    speak = words(_language(request))
    told = {"page": None, "heading": N_("Not now"), "detail": speak(why)}
    html = render("failed.html", speak, told)
    return HTMLResponse(html, 503, dict(HEADERS) | {"Retry-After": AGAIN_SECONDS})


def _refuse_nul(look: PageRequest) -> None:
    """Refuse what no text of ours holds, before anything is asked with it. Raises UsageError."""
    if any("\0" in text for held in (look.steps, look.query, look.typed) for text in held.values()):
        raise BadParameter(NO_CHARACTER)


def _refuse_unknown(request: Request, takes: Collection[str]) -> None:
    """Refuse what an address may not have, or has twice. Raises `BadParameter`."""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        if name not in takes:
            raise BadParameter(NO_FILTER, name=name[:LONGEST_NAMED])
        if names.count(name) > 1:
            raise BadParameter(TWICE, name=name)


def _response(look: PageRequest, answer: Answer | Response) -> Response:
    match answer:
        case Shown(template, values, status):
            return HTMLResponse(render(template, look.words, values), int(status), dict(HEADERS))
        case Leads(to):
            return RedirectResponse(to, 303, dict(HEADERS))
        case Download(name, content, media_type):
            headers = dict(HEADERS) | {"Content-Disposition": f'attachment; filename="{_plain(name)}"'}
            if isinstance(content, str | bytes):
                return Response(content, 200, headers, media_type)
            return StreamingResponse(content, 200, headers, media_type)
        case Response():
            return answer


def _json(value: object) -> Response:
    """Write what the command line prints with `--json`."""
    return Response(json.dumps(plain_json(value), ensure_ascii=False) + "\n", media_type="application/json")


def _language(request: Request) -> Language:
    for said in (request.query_params.get("language"), request.cookies.get(LANGUAGE_COOKIE)):
        if said in LANGUAGES:
            return said  # type: ignore[return-value]  # one of its keys
    return preferred(request.headers.get("accept-language"))


def _with_language(request: Request, look: PageRequest, response: Response) -> Response:
    if request.query_params.get("language") in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE,
            look.words.language,
            max_age=A_YEAR_SECONDS,
            path="/",
            httponly=True,
            samesite="lax",
        )
    return response


def _plain(name: str) -> str:
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "_" for letter in name
    )
