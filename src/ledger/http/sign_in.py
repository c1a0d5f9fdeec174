"""Signing in to the site: by a link, or at an identity provider (OpenID Connect).

The session is a cookie with a secret of its own (HttpOnly, SameSite=Lax): the bearer token itself never
lies in a browser, and signing out takes the session back at once.

`/sign-in/openid` leads the browser to the provider, `/sign-in/openid/callback` takes it back and begins a
session like that of a sign-in link. No page holds a secret, and no script takes part.
"""

from typing import Annotated, Final
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from ledger.app import App
from ledger.auth.oidc import Attempt, Provider, ProviderAway, ProviderDenied
from ledger.auth.roles import NotAdmitted, RoleMissing
from ledger.auth.tokens import SESSION_LASTS
from ledger.http.callers import SESSION_COOKIE, admission_of, refuse_from_elsewhere
from ledger.http.problems import Problem

HOME: Final = "/"
LONGEST_CODE: Final = 200


def routes(_wiring: App) -> APIRouter:
    """Return the routes of signing in and out."""
    router = APIRouter(include_in_schema=False)
    router.get("/sign-in")(sign_in)
    router.post("/sign-out")(sign_out)
    return router


async def sign_in(
    request: Request,
    code: Annotated[str, Query(max_length=LONGEST_CODE)] = "",
    then: Annotated[str, Query(max_length=2_000)] = HOME,
) -> Response:
    """Admit whoever follows a sign-in link, once, and lead on."""
    if not code:
        message = "Follow a sign-in link: `coverledger token link` prints one, and so does `up`."
        raise Problem("UNAUTHENTICATED", message)
    try:
        link = await run_in_threadpool(admission_of(request).tokens.redeem, code)
    except NotAdmitted as error:
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(f"{HOME}?sign_in=used", 303)  # A page says what to do.
        message = f"The sign-in link is refused: {error}. Get a new one with `coverledger token link`."
        raise Problem("UNAUTHENTICATED", message) from error
    return await signed_in(request, link.role, link.name, created_by=link.token_id, then=local_path(then))


async def sign_out(request: Request) -> Response:
    """End the session, here and for whoever copied the cookie."""
    refuse_from_elsewhere(request)
    shown = request.cookies.get(SESSION_COOKIE)
    admission = admission_of(request)
    if shown:
        try:
            session = await run_in_threadpool(admission.tokens.find, shown, {"session"})
        except NotAdmitted:
            pass  # It is over already, which is what was wanted.
        else:
            await run_in_threadpool(admission.tokens.revoke, session.token_id)
        admission.forget(shown, "session")
    response = RedirectResponse(f"{HOME}?sign_in=out", 303)
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax")
    return response


async def signed_in(request: Request, role: str, name: str, *, created_by: str, then: str) -> Response:
    """Begin a session for whoever was let in, and lead on to `then`, a path of ours."""
    tokens = admission_of(request).tokens

    def begin() -> str:
        return tokens.create("session", role=role, name=name, created_by=created_by, lasts=SESSION_LASTS)[1]

    response = RedirectResponse(then, 303)
    response.set_cookie(
        SESSION_COOKIE,
        await run_in_threadpool(begin),
        max_age=int(SESSION_LASTS.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


def local_path(then: str) -> str:
    """Return a path of our own site, and home for anything that leads elsewhere."""
    parts = urlsplit(then)
    is_ours = (
        then.startswith("/") and not then.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    )
    return then if is_ours and then.isprintable() and "\\" not in then else HOME


BEGIN: Final = "/sign-in/openid"
CALLBACK: Final = "/sign-in/openid/callback"
OUT: Final = "/sign-in/openid/out"
ATTEMPT_SECONDS: Final = 600
"""Given to people to sign in at the provider."""

CREATED_BY: Final = "openid"
"""Who made the session of somebody who came this way."""

_log = structlog.get_logger("ledger.http")


def openid_routes(wiring: App) -> APIRouter:
    """Return the routes; none where the settings name no provider."""
    router = APIRouter(include_in_schema=False)
    provider = Provider.from_settings(wiring.settings)
    if provider is not None:
        signing_in = OpenIdSignIn(provider, wiring.settings.http_url)
        router.get(BEGIN)(signing_in.begin)
        router.get(CALLBACK)(signing_in.take_back)
        router.get(OUT)(signing_in.out)
    return router


class OpenIdSignIn:
    """The way to one provider and back."""

    def __init__(self, provider: Provider, url: str | None) -> None:
        """`url`: the address that people reach the site under; None: the one that they asked for."""
        self._provider = provider
        self._url = url

    async def begin(self, request: Request, then: Annotated[str, Query(max_length=2_000)] = HOME) -> Response:
        """Lead to the provider."""
        attempt = Attempt.new(local_path(then))
        try:
            address = await self._provider.address(attempt, self._origin(request) + CALLBACK)
        except NotAdmitted as error:
            return self._refused(request, error)
        response = RedirectResponse(address, 303)
        response.set_cookie(
            _cookie(request),
            attempt.written(),
            max_age=ATTEMPT_SECONDS,
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return response

    async def take_back(self, request: Request) -> Response:
        """Admit whom the provider vouches for, in the browser that it was asked from."""
        attempt = Attempt.read(request.cookies.get(_cookie(request), ""))
        answer = request.query_params
        if attempt is None or not attempt.is_of(answer.get("state", "")):
            message = "it was not begun in this browser, or longer ago than ten minutes"
            return self._refused(request, NotBegun(message))
        try:
            caller = await self._provider.caller(attempt, answer, self._origin(request) + CALLBACK)
        except NotAdmitted as error:
            return self._refused(request, error)
        then = local_path(attempt.then)
        response = await signed_in(request, caller.role, caller.actor, created_by=CREATED_BY, then=then)
        response.delete_cookie(_cookie(request), path="/", httponly=True, samesite="lax")
        return response

    async def out(self, request: Request) -> Response:
        """Lead to where people end their session at the provider too."""
        try:
            address = await self._provider.address_to_sign_out(self._origin(request) + HOME)
        except NotAdmitted as error:
            return self._refused(request, error)
        return RedirectResponse(HOME if address is None else address, 303)

    def _origin(self, request: Request) -> str:
        return self._url or f"{request.url.scheme}://{request.headers.get('host', '')}"

    @staticmethod
    def _refused(request: Request, error: NotAdmitted) -> Response:
        """Refuse on the sign-in page, or to a program; nothing of the attempt is left."""
        _log.warning("openid_sign_in_refused", why=str(error))
        if "text/html" not in request.headers.get("accept", ""):
            message = f"Signing in at the identity provider failed: {error}. Begin again at {BEGIN}."
            raise Problem("UNAUTHENTICATED", message) from error
        response = RedirectResponse(f"{HOME}?sign_in={_reason(error)}", 303)
        response.delete_cookie(_cookie(request), path="/", httponly=True, samesite="lax")
        return response


class NotBegun(NotAdmitted):
    """No attempt of this browser waits for the provider's answer."""


def _reason(error: NotAdmitted) -> str:
    """Return the word for it that the sign-in page knows."""
    match error:
        case NotBegun():
            return "not_begun"
        case ProviderAway():
            return "away"
        case ProviderDenied():
            return "denied"
        case RoleMissing():
            return "no_role"
        case _:
            return "refused"


def _cookie(request: Request) -> str:
    """Return the cookie's name; behind TLS so that no neighbouring host can set it (`__Host-`)."""
    return f"{'__Host-' if request.url.scheme == 'https' else ''}claims-ledger-signing-in"
