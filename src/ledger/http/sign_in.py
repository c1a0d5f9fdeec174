"""Signing in and out: a link's single-use code, or a bearer token, becomes a session of the browser.

The session is a cookie with a secret of its own (HttpOnly, SameSite=Lax): the bearer token itself never
lies in a browser, and signing out takes the session back at once.
"""

from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from ledger.http.callers import SESSION_COOKIE, admission_of, refuse_from_elsewhere
from ledger.http.problems import Problem
from ledger.rights.refusals import NotAdmitted
from ledger.rights.tokens import SESSION_LASTS
from ledger.wiring import Wiring

HOME: Final = "/"
LONGEST_CODE: Final = 200


def routes(_wiring: Wiring) -> APIRouter:
    """Give the routes of signing in and out (group `coverledger.routes`)."""
    router = APIRouter(include_in_schema=False)
    router.get("/sign-in")(sign_in)
    router.post("/sign-out")(sign_out)
    return router


async def sign_in(
    request: Request,
    code: Annotated[str, Query(max_length=LONGEST_CODE)] = "",
    then: Annotated[str, Query(max_length=2_000)] = HOME,
) -> Response:
    """Let in whoever follows a sign-in link, once, and lead on."""
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
    """Give a path of our own site, and home for anything that leads elsewhere."""
    parts = urlsplit(then)
    is_ours = (
        then.startswith("/") and not then.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    )
    return then if is_ours and then.isprintable() and "\\" not in then else HOME
