"""Who is calling, as routes ask for it: `caller: Annotated[Caller, needs("read")]`.

A caller shows a bearer token or a JWT (`Authorization: Bearer …`), or the session cookie that signing in
gave.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import (
    APIKeyCookie,
    APIKeyQuery,
    HTTPAuthorizationCredentials,
    HTTPBearer,
    SecurityScopes,
)
from starlette.datastructures import State

from ledger.http.parameters import check_operation
from ledger.http.problems import Problem
from ledger.rights.admission import Admission
from ledger.rights.caller import Caller
from ledger.rights.refusals import NotAdmitted
from ledger.rights.roles import RIGHTS, Right

SESSION_COOKIE: Final = "claims-ledger-session"
CHALLENGE: Final = 'Bearer realm="claims-ledger"'
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_bearer = HTTPBearer(
    auto_error=False, scheme_name="bearer", description="A token of `coverledger token create`, or a JWT."
)
_session = APIKeyCookie(
    name=SESSION_COOKIE, auto_error=False, scheme_name="session", description="A session of the site."
)


_address = APIKeyQuery(
    name="token",
    auto_error=False,
    scheme_name="address",
    description="A token that opens this address alone.",
)


def needs(right: Right) -> Any:  # noqa: ANN401  # what FastAPI takes for a dependency
    """Let only callers with this right pass; gives the Caller. Said in the OpenAPI document as the scope."""
    if right not in RIGHTS:
        raise KeyError(right)
    return Security(_admitted, scopes=[right])


def needs_in_address(right: Right) -> Any:  # noqa: ANN401  # as above
    """Let pass whoever has this right, also by a token in the address (`?token=…`) that opens nothing else.

    For programs that can show no header, such as calendars. Only tokens of the kind `calendar` are taken.
    """
    if right not in RIGHTS:
        raise KeyError(right)
    return Security(_admitted_by_address, scopes=[right])


def visitor(request: Request) -> Caller | None:
    """Give whoever is signed in by the session cookie, None for a stranger. Looks in the database."""
    shown = request.cookies.get(SESSION_COOKIE)
    if not shown:
        return None
    return _found(request, partial(admission_of(request).caller, shown, "session"))


def program(request: Request) -> Caller | None:
    """Give whoever shows a bearer token or a JWT, None for a stranger. Looks in the database."""
    shown = _bearer_shown(request)
    return None if shown is None else _found(request, partial(admission_of(request).bearer, shown))


def _found(request: Request, look: Callable[[], Caller]) -> Caller | None:
    try:
        request.state.caller = look()
    except NotAdmitted:
        return None
    request.state.recheck = look
    found: Caller = request.state.caller
    return found


def _bearer_shown(request: Request) -> str | None:
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    return shown.strip() or None if scheme.lower() == "bearer" else None


async def recheck(state: State) -> None:
    """Make sure that the credential by which a request was let in is still in force. Raises NotAdmitted.

    `state`: the request's. Of one that nobody was let in to, nothing is asked.
    """
    again: Callable[[], Caller] | None = getattr(state, "recheck", None)
    before: Caller | None = getattr(state, "caller", None)
    if again is None or before is None:
        return
    if await run_in_threadpool(again) != before:
        message = "it gives other rights than before"
        raise NotAdmitted(message)


def admission_of(request: Request) -> Admission:
    """Give what the application checks credentials with."""
    admission: Admission = request.app.state.admission
    return admission


async def admitted(request: Request, right: Right) -> Caller:
    """Give the caller of a request, if it has this right: `needs`, for a route that reads by itself.

    Raises Problem.
    """
    bearer = _bearer_shown(request)
    caller = await _caller(request, bearer, None if bearer else request.cookies.get(SESSION_COOKIE))
    return _with_rights(request, caller, (right,))


async def _admitted_by_address(
    request: Request,
    scopes: SecurityScopes,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    session: Annotated[str | None, Depends(_session)],
    token: Annotated[str | None, Depends(_address)],
) -> Caller:
    if token is None:
        return await _admitted(request, scopes, bearer, session)
    try:
        request.state.recheck = partial(admission_of(request).caller, token, "calendar")
        caller = await run_in_threadpool(request.state.recheck)
    except NotAdmitted as error:
        message = f"The token in the address is refused: {error}. Get a new address for the calendar."
        raise Problem("UNAUTHENTICATED", message) from error
    return _with_rights(request, caller, scopes.scopes)


async def _admitted(
    request: Request,
    scopes: SecurityScopes,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    session: Annotated[str | None, Depends(_session)],
) -> Caller:
    caller = await _caller(request, bearer.credentials if bearer else None, session)
    return _with_rights(request, caller, scopes.scopes)


def _with_rights(request: Request, caller: Caller, rights: Sequence[str]) -> Caller:
    """Note who calls, make sure of the rights, then of the address's parameters. Raises Problem."""
    request.state.caller = caller
    for right in rights:
        if right not in caller.rights:
            message = f"The role {caller.role} lacks the right `{right}` that this route needs."
            challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{right}"'
            raise Problem("FORBIDDEN", message, headers={"WWW-Authenticate": challenge}, right=right)
    check_operation(request)
    return caller


async def _caller(request: Request, bearer: str | None, session: str | None) -> Caller:
    """Find out who calls; a bearer token goes before a session. Raises Problem."""
    admission = admission_of(request)
    try:
        if bearer is not None:
            request.state.recheck = partial(admission.bearer, bearer)
            known = admission.remembered(bearer, "bearer")
            return known if known is not None else await run_in_threadpool(admission.bearer, bearer)
        if session:
            request.state.recheck = partial(admission.caller, session, "session")
            known = admission.remembered(session, "session")
            if known is None:
                known = await run_in_threadpool(admission.caller, session, "session")
            refuse_from_elsewhere(request)
            return known
    except NotAdmitted as error:
        message = f"The credential is refused: {error}. Get a new one: `coverledger token create --help`."
        challenge = f'{CHALLENGE}, error="invalid_token"'
        raise Problem("UNAUTHENTICATED", message, headers={"WWW-Authenticate": challenge}) from error
    message = "Show a token: `Authorization: Bearer …` (see `coverledger token create --help`), or sign in."
    raise Problem("UNAUTHENTICATED", message, headers={"WWW-Authenticate": CHALLENGE})


def refuse_from_elsewhere(request: Request) -> None:
    """Refuse a change that a page of another site asks for with our visitor's cookie. Raises Problem."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    known = request.app.state.wiring.settings.http_url
    own = {known, f"{request.url.scheme}://{request.headers.get('host', '')}"}
    if (site is not None and site not in {"same-origin", "none"}) or (
        site is None and origin is not None and origin not in own
    ):
        message = "This was asked for by a page of another site: do it from the ledger's own pages."
        raise Problem("CROSS_SITE_REQUEST", message)
