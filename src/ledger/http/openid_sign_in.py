"""Signing in at an identity provider (OpenID Connect), where the settings name one.

`/sign-in/openid` leads the browser to the provider, `/sign-in/openid/callback` takes it back and begins a
session like that of a sign-in link. No page holds a secret, and no script takes part.
"""

from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from ledger.http.problems import Problem
from ledger.http.sign_in import HOME, local_path, signed_in
from ledger.rights.openid import Attempt, Provider, ProviderAway, ProviderDenied
from ledger.rights.refusals import NotAdmitted, RoleMissing
from ledger.wiring import Wiring

BEGIN: Final = "/sign-in/openid"
CALLBACK: Final = "/sign-in/openid/callback"
OUT: Final = "/sign-in/openid/out"
ATTEMPT_SECONDS: Final = 600
"""Given to people to sign in at the provider."""

CREATED_BY: Final = "openid"
"""Who made the session of somebody who came this way."""

_log = structlog.get_logger("ledger.http")


def routes(wiring: Wiring) -> APIRouter:
    """Give the routes (group `coverledger.routes`); none where the settings name no provider."""
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
        """Let in whom the provider vouches for, in the browser that it was asked from."""
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
        """Say it on the sign-in page, or to a program; nothing of the attempt is left."""
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
    """Give the word for it that the sign-in page knows."""
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
    """Name the cookie; behind TLS so that no neighbouring host can set it (`__Host-`)."""
    return f"{'__Host-' if request.url.scheme == 'https' else ''}claims-ledger-signing-in"
