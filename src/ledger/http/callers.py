"""Who is calling: as routes ask for it, `caller: Annotated[Caller, needs("read")]`, and as it is found out.

A caller shows a bearer token or a JWT (`Authorization: Bearer …`), or the session cookie that signing in
gave.
"""

from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Annotated, Final, Literal

from fastapi import Depends, Request, params
from fastapi.concurrency import run_in_threadpool
from fastapi.security import (
    APIKeyCookie,
    APIKeyQuery,
    HTTPAuthorizationCredentials,
    HTTPBearer,
    SecurityScopes,
)
from starlette.datastructures import State

from ledger.auth.oidc import JwtReader
from ledger.auth.roles import RIGHTS, Caller, NotAdmitted, Right
from ledger.auth.tokens import Tokens
from ledger.http.parameters import check_operation
from ledger.http.problems import Problem

TokenKind = Literal["bearer", "session", "calendar"]
"""Tokens that stand for a caller; a link is first exchanged for a session."""

JWT_DOTS: Final = 2
"""A JWT is header.claims.signature; a token of ours has none."""

REMEMBERED_SECONDS: Final = 1.0
"""How long a token found in force is believed without looking again: the most that a revoked one works on."""

REMEMBERED_TOKENS: Final = 10_000


class Admission:
    """Knows callers by their credentials. Threads may share it."""

    def __init__(
        self, tokens: Tokens, jwt_reader: JwtReader | None = None, *, now: Callable[[], float] = monotonic
    ) -> None:
        """`jwt_reader`: None where no issuer is configured. `now`: seconds of a steady clock, in tests."""
        self.tokens = tokens
        self._jwt_reader = jwt_reader
        self._now = now
        self._remembered: dict[tuple[TokenKind, str], tuple[float, Caller]] = {}

    def remembered(self, shown: str, kind: TokenKind) -> Caller | None:
        """Return the caller whose token was found in force a moment ago; asks no database."""
        until, caller = self._remembered.get((kind, shown), (0.0, None))
        return caller if self._now() < until else None

    def caller(self, shown: str, kind: TokenKind) -> Caller:
        """Return the caller who shows this token. Raises NotAdmitted, and the store's DatabaseUnavailable."""
        return self.remembered(shown, kind) or self._looked_up(shown, kind)

    def bearer(self, shown: str) -> Caller:
        """Return the caller who shows this bearer token or JWT. Raises as `caller` does."""
        if self._jwt_reader is not None and shown.count(".") == JWT_DOTS:
            return self._jwt_reader.caller(shown)
        return self.caller(shown, "bearer")

    def _looked_up(self, shown: str, kind: TokenKind) -> Caller:
        token = self.tokens.find(shown, {kind})
        caller = Caller(token.name, token.role, kind, token.token_id)
        if len(self._remembered) >= REMEMBERED_TOKENS:
            self._remembered.clear()
        self._remembered[kind, shown] = (self._now() + REMEMBERED_SECONDS, caller)
        return caller

    def forget(self, shown: str, kind: TokenKind) -> None:
        """Look a token up again at the next call: it was just taken back."""
        self._remembered.pop((kind, shown), None)


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


def needs(right: Right) -> params.Security:
    """Admit only callers with this right; gives the Caller. The OpenAPI document shows it as the scope."""
    if right not in RIGHTS:
        raise KeyError(right)
    return params.Security(_admitted, scopes=[right])


def needs_in_address(right: Right) -> params.Security:
    """Admit whoever has this right, also by a token in the address (`?token=…`) that opens nothing else.

    For programs that can show no header, such as calendars. Only tokens of the kind `calendar` are taken.
    """
    if right not in RIGHTS:
        raise KeyError(right)
    return params.Security(_admitted_by_address, scopes=[right])


def visitor(request: Request) -> Caller | None:
    """Return whoever is signed in by the session cookie, None for a stranger. Looks in the database."""
    shown = request.cookies.get(SESSION_COOKIE)
    if not shown:
        return None
    return _found(request, partial(admission_of(request).caller, shown, "session"))


def program(request: Request) -> Caller | None:
    """Return whoever shows a bearer token or a JWT, None for a stranger. Looks in the database."""
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
    """Ensure that the credential by which a request was let in is still in force. Raises NotAdmitted.

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
    """Return what the application checks credentials with."""
    admission: Admission = request.app.state.admission
    return admission


async def admitted(request: Request, right: Right) -> Caller:
    """Return the caller of a request, if it has this right: `needs`, for a route that reads by itself.

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
