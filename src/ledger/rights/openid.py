"""Signing in at an OpenID Connect provider: the authorization code flow with PKCE (OpenID Connect Core §3.1).

The browser is led to the provider and comes back with a code. What proves that this browser went (state),
that the answer was made for it (nonce) and that nobody else may use the code (verifier, RFC 7636) lies in a
cookie of that browser alone.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from time import monotonic
from typing import Any, Final, Self
from urllib.parse import quote, urlencode, urlsplit

import aiohttp

from ledger.endings import UsedWrongly
from ledger.rights.caller import Caller
from ledger.rights.oidc import JwtReader
from ledger.rights.refusals import NotAdmitted
from ledger.settings import Settings

DESCRIBED_AT: Final = "/.well-known/openid-configuration"
BELIEVED_SECONDS: Final = 3_600.0
"""How long what the provider says of itself is not asked for again."""
ANSWER_SECONDS: Final = 10.0
RANDOM_BYTES: Final = 32
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
DENIED: Final = frozenset({"access_denied", "login_required", "consent_required", "interaction_required"})


class ProviderAway(NotAdmitted):
    """The provider cannot be reached, or does not answer as one."""


class ProviderDenied(NotAdmitted):
    """The provider did not let the person in."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One browser's way to the provider and back."""

    state: str
    nonce: str
    verifier: str
    then: str
    """Path of ours that it leads to in the end."""

    @classmethod
    def new(cls, then: str) -> Self:
        """Begin one."""
        state, nonce, verifier = (token_urlsafe(RANDOM_BYTES) for _ in range(3))
        return cls(state, nonce, verifier, then)

    @property
    def challenge(self) -> str:
        """What the provider is shown of the verifier (S256)."""
        return urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()

    def written(self) -> str:
        """Write it for a cookie."""
        return urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def read(cls, written: str) -> "Attempt | None":
        """Read it back; None for what is none."""
        try:
            told = json.loads(urlsafe_b64decode(written))
            return cls(**{name: str(told[name]) for name in cls.__slots__})
        except (ValueError, KeyError, TypeError):
            return None

    def is_of(self, state: str) -> bool:
        """Say whether the provider's answer is to this one."""
        return compare_digest(self.state.encode(), state.encode())


class Provider:
    """The identity provider of the settings, at which people sign in to the site."""

    def __init__(self, *, issuer: str, client_id: str, client_secret: str | None, reader: JwtReader) -> None:
        """`client_secret`: None for a public client. `reader`: of ID tokens meant for this client."""
        self.issuer = issuer
        self.client_id = client_id
        self._client_secret = client_secret
        self._reader = reader
        self._described: tuple[float, Mapping[str, Any]] = (0.0, {})

    @classmethod
    def from_settings(cls, settings: Settings) -> "Provider | None":
        """Make the provider that the settings describe; None where nobody signs in at one.

        Raises UsedWrongly for settings that lack the rest of it.
        """
        client_id = settings.oidc_client_id
        if client_id is None:
            return None
        reader = JwtReader.for_audience(settings, client_id)
        if reader is None or settings.oidc_issuer is None:
            message = (
                "Settings: COVERLEDGER_OIDC_CLIENT_ID needs COVERLEDGER_OIDC_ISSUER and "
                "COVERLEDGER_OIDC_JWKS_FILE beside it: set them, or leave it out."
            )
            raise UsedWrongly(message)
        secret = settings.oidc_client_secret
        return cls(issuer=settings.oidc_issuer, client_id=client_id, client_secret=secret, reader=reader)

    async def address(self, attempt: Attempt, redirect_uri: str) -> str:
        """Give the address that leads to the provider. Raises ProviderAway."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return _with_query(await self._endpoint("authorization_endpoint"), asked)

    async def address_to_sign_out(self, back: str) -> str | None:
        """Give the address at which people end their session at the provider; None where it has none."""
        described = await self._description()
        if "end_session_endpoint" not in described:
            return None
        asked = {"client_id": self.client_id, "post_logout_redirect_uri": back}
        return _with_query(await self._endpoint("end_session_endpoint"), asked)

    async def caller(self, attempt: Attempt, answer: Mapping[str, str], redirect_uri: str) -> Caller:
        """Give the person whom the provider vouches for. Raises NotAdmitted, saying what is wrong."""
        if "error" in answer:
            message = f"the provider answered {answer['error'][:40]!r}"
            raise (ProviderDenied if answer["error"] in DENIED else NotAdmitted)(message)
        if answer.get("iss", self.issuer) != self.issuer:  # RFC 9207
            message = "the answer comes from another provider"
            raise NotAdmitted(message)
        given = await self._exchanged(attempt, answer.get("code", ""), redirect_uri)
        token = given.get("id_token")
        if not isinstance(token, str):
            message = "the provider gave no ID token"
            raise NotAdmitted(message)
        return self._reader.caller(token, nonce=attempt.nonce)

    async def _exchanged(self, attempt: Attempt, code: str, redirect_uri: str) -> Mapping[str, Any]:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self.client_id,
            "code_verifier": attempt.verifier,
        }
        headers = {}
        if self._client_secret is not None:
            taken = (await self._description()).get("token_endpoint_auth_methods_supported")
            if isinstance(taken, list) and "client_secret_basic" not in taken:
                fields["client_secret"] = self._client_secret
            else:
                headers["Authorization"] = aiohttp.encode_basic_auth(
                    quote(self.client_id, safe=""), quote(self._client_secret, safe="")
                )
        return await _json("POST", await self._endpoint("token_endpoint"), data=fields, headers=headers)

    async def _endpoint(self, name: str) -> str:
        address = str((await self._description()).get(name, ""))
        parts = urlsplit(address)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            message = f"the provider's {name} is no https address"
            raise ProviderAway(message)
        return address

    async def _description(self) -> Mapping[str, Any]:
        until, described = self._described
        if monotonic() >= until:
            described = await _json("GET", self.issuer.rstrip("/") + DESCRIBED_AT)
            if described.get("issuer") != self.issuer:
                message = f"what stands at {self.issuer} is of another issuer"
                raise ProviderAway(message)
            self._described = (monotonic() + BELIEVED_SECONDS, described)
        return described


async def _json(method: str, address: str, **sent: Any) -> Mapping[str, Any]:  # noqa: ANN401  # the client's own
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(method, address, allow_redirects=False, **sent) as response,
        ):
            told = await response.json(content_type=None)
            status = response.status
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        message = f"the provider does not answer ({type(error).__name__})"
        raise ProviderAway(message) from error
    if not isinstance(told, dict) or status >= 500:  # noqa: PLR2004  # its own fault
        message = f"the provider answers {status}, and not as a provider does"
        raise ProviderAway(message)
    if status != 200:  # noqa: PLR2004  # OK
        message = f"the provider answers {status} {str(told.get('error', ''))[:40]}".rstrip()
        raise NotAdmitted(message)
    return told


def _with_query(address: str, asked: Mapping[str, str]) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked)}"
