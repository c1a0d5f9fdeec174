"""How a page is served: who may, in which language, as HTML or as the JSON that the command line prints."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from ledger.endings import ClockBehind, Refused, Unreachable, UsedWrongly
from ledger.http.book import SLASH
from ledger.http.callers import SESSION_COOKIE, admission_of, refuse_from_elsewhere, visitor
from ledger.http.problems import Problem
from ledger.rights.caller import Caller
from ledger.rights.refusals import NotAdmitted
from ledger.rights.roles import Right
from ledger.store.errors import Unreachable as DatabaseAway
from ledger.wiring import Wiring
from projections.asking.positions import NothingKnown
from projections.commands.tables import as_json
from projections.web.addresses import from_address
from projections.web.asked import AskedTime, read_asked
from projections.web.page import Look, page_of_look
from projections.web.rendering import render
from projections.web.visitor import Visitor
from projections.web.words.codes import N_
from projections.web.words.saying_no import AskedWrongly, said_no
from projections.web.words.speaking import LANGUAGES, Language, preferred, words

LANGUAGE_COOKIE: Final = "claims-ledger-language"
A_YEAR_SECONDS: Final = 365 * 86_400
MOST_FIELDS: Final = 60
NO_OBJECT: Final = N_("What was sent is no JSON object of texts: send the fields of the form.")
NO_CHARACTER: Final = N_(
    "What was asked holds a character that no text has: go by a link or a form of the site."
)
AGAIN_SECONDS: Final = "2"
BEHIND: Final = N_(
    "The ledger's clock stands before what is recorded here already. Nothing was recorded: try again in a "
    "few minutes, and tell whoever runs the ledger."
)
AWAY: Final = N_("The ledger's database is away for the moment. Nothing was recorded: try again in a minute.")

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
Show = Callable[[Look], Answer]
Twin = Callable[[Look], object]


class Pages:
    """Registers pages on a router. A page for which a visitor lacks the right says so, and how to get it."""

    def __init__(self, wiring: Wiring, router: APIRouter) -> None:
        """Serve the book of `wiring`."""
        self._wiring = wiring
        self._router = router

    def page(self, path: str, show: Show, twin: Twin | None = None, *, right: Right | None = "read") -> None:
        """Register a page, with its JSON beside it. `right`: None for everybody."""
        if twin is not None:
            beside = "/today.json" if path == "/" else f"{path}.json"
            self._router.get(beside)(self._endpoint(lambda look: _json(twin(look)), right))
        self._router.get(path)(self._endpoint(show, right))

    def form(self, path: str, take: Show, *, right: Right | None) -> None:
        """Register what takes a form. One that does not come from a page of ours is refused."""
        self._router.post(path)(self._endpoint(take, right))

    def question(self, path: str, show: Show, twin: Twin, *, right: Right) -> None:
        """Register a form that asks for what may stand in no address, with its JSON at `PATH.json`.

        Both are sent by POST, the JSON's fields as a form or as one JSON object.
        """
        self.form(path, show, right=right)
        self._router.post(f"{path}.json")(self._endpoint(lambda look: _json(twin(look)), right))

    def _endpoint(self, show: Callable[[Look], Answer | Response], right: Right | None) -> Callable[..., Any]:
        async def endpoint(request: Request) -> Response:
            body = await request.body() if request.method == "POST" else b""
            return await run_in_threadpool(self._answer, request, body, show, right)

        return endpoint

    def _answer(
        self,
        request: Request,
        body: bytes,
        show: Callable[[Look], Answer | Response],
        right: Right | None,
    ) -> Response:
        is_json = request.url.path.endswith(".json")
        look: Look | None = None
        try:
            look = self._look(request, body)
            _refuse_nul(look)
            self._admit(request, look, right)
            answer = show(replace(look, asked=read_asked(look.query)))
        except FAILURES as error:
            if is_json:
                raise _problem(error) from error
            if look is None or isinstance(error, Unreachable | DatabaseAway):
                return _away(request, BEHIND if isinstance(error, ClockBehind) else AWAY)
            answer = _failed(look, error)
        return _with_language(request, look, _response(look, answer))

    def _look(self, request: Request, body: bytes) -> Look:
        session = request.cookies.get(SESSION_COOKIE)
        caller = visitor(request) or _bearer(request)
        if caller is not None:
            request.state.caller = caller
        typed = _typed(body, request.headers.get("content-type", ""))
        settings = self._wiring.settings
        return Look(
            wiring=self._wiring,
            visitor=Visitor(caller, session if caller else None),
            words=words(_language(request)),
            path=quote(request.url.path.replace(SLASH, "~2F"), safe="/~"),
            query=dict(request.query_params),
            steps=request.path_params,
            asked=AskedTime(),
            is_fragment="hx-request" in request.headers,
            typed=typed,
            address=request.client.host if request.client else "",
            origin=settings.http_url or f"{request.url.scheme}://{request.headers.get('host', '')}",
        )

    def _admit(self, request: Request, look: Look, right: Right | None) -> None:
        """Let in whoever may. Raises _Unadmitted."""
        if right is not None and not look.visitor.is_known:
            message = "Sign in first: follow a sign-in link."
            raise _Unadmitted("NOT_SIGNED_IN", message)
        if right is not None and not look.visitor.may(right):
            message = f"Your role lacks the right `{right}` that this needs."
            raise _Unadmitted("NO_RIGHT", message)
        if request.method == "POST":
            try:
                refuse_from_elsewhere(request)
            except Problem as error:
                raise _Unadmitted("FROM_ELSEWHERE", str(error.detail)) from error
            # Whoever shows a token by itself needs no form of ours: no browser sends it unasked.
            is_program = look.visitor.session is None and request.url.path.endswith(".json")
            carried = look.typed.get("csrf", "")
            if right is not None and not is_program and not look.visitor.sent_by_our_form(carried):
                message = "The form is not one of this session: open the page again."
                raise _Unadmitted("FROM_ELSEWHERE", message)


class _Unadmitted(Exception):
    """The visitor may not see or do this."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


FAILURES: Final = (_Unadmitted, UsedWrongly, Refused, Unreachable, DatabaseAway)
"""What a page says in words, and its JSON as a problem; anything else is a defect."""


def _typed(body: bytes, media_type: str) -> Mapping[str, str]:
    """Read what a form carries, or a program's JSON object of texts. Raises `AskedWrongly`."""
    if not media_type.startswith("application/json"):
        text = body.decode("utf-8", "replace")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    try:
        told = json.loads(body)
    except ValueError as error:
        raise AskedWrongly(NO_OBJECT) from error
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        raise AskedWrongly(NO_OBJECT)
    return told


def _problem(error: Exception) -> Exception:
    """Give the problem that says it to programs."""
    match error:
        case _Unadmitted():
            return Problem(error.code, str(error))
        case UsedWrongly():
            return Problem("INVALID", str(error))
        case NothingKnown():
            return Problem("NOTHING_KNOWN", str(error))
        case Refused():
            return Problem("NOT_FOUND", str(error))
        case _:
            return error


def _failed(look: Look, error: Exception) -> Shown:
    """Give the page that says it to people."""
    page = page_of_look(look, "", has_twin=False)
    if isinstance(error, _Unadmitted):
        status = HTTPStatus.UNAUTHORIZED if error.code == "NOT_SIGNED_IN" else HTTPStatus.FORBIDDEN
        told = {
            "page": page,
            "code_of_error": error.code,
            "detail": str(error),
            "organisation": look.wiring.settings.oidc_client_id is not None,
        }
        return Shown("unadmitted.html", told, status)
    is_missing = isinstance(error, Refused)
    heading = N_("Not there") if is_missing else N_("That cannot be shown")
    status = HTTPStatus.NOT_FOUND if is_missing else HTTPStatus.BAD_REQUEST
    number = from_address(look.steps["number"]) if is_missing and "number" in look.steps else None
    detail = said_no(look.words, error, look.path, number, look.query)
    return Shown("failed.html", {"page": page, "heading": heading, "detail": detail}, status)


def _away(request: Request, why: str) -> Response:
    """Say why nothing can be done for the moment, on a page that needs nothing of the database."""
    speak = words(_language(request))
    told = {"page": None, "heading": N_("Not now"), "detail": speak(why)}
    html = render("failed.html", speak, told)
    return HTMLResponse(html, 503, dict(HEADERS) | {"Retry-After": AGAIN_SECONDS})


def _refuse_nul(look: Look) -> None:
    """Refuse what no text of ours holds, before anything is asked with it. Raises UsedWrongly."""
    if any("\0" in text for held in (look.steps, look.query, look.typed) for text in held.values()):
        raise AskedWrongly(NO_CHARACTER)


def _response(look: Look, answer: Answer | Response) -> Response:
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
    return Response(json.dumps(as_json(value), ensure_ascii=False) + "\n", media_type="application/json")


def _bearer(request: Request) -> Caller | None:
    """Give whoever shows a bearer token or a JWT: programs read the pages' JSON by it."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        return admission_of(request).bearer(shown.strip())
    except NotAdmitted:
        return None


def _language(request: Request) -> Language:
    for said in (request.query_params.get("language"), request.cookies.get(LANGUAGE_COOKIE)):
        if said in LANGUAGES:
            return said  # type: ignore[return-value]  # one of its keys
    return preferred(request.headers.get("accept-language"))


def _with_language(request: Request, look: Look, response: Response) -> Response:
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
