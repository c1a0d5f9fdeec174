"""OpenID Connect: JWTs of an issuer, and signing in at a provider.

The browser is led to the provider and comes back with a code. What proves that this browser went (state),
that the answer was made for it (nonce) and that nobody else may use the code (verifier, RFC 7636) lies in a
cookie of that browser alone.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from hmac import compare_digest
from http import HTTPStatus
from pathlib import Path
from secrets import token_urlsafe
from time import monotonic
from typing import Any, Final, Self
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
import jwt
from jwt import PyJWK, PyJWTError

from ledger.auth.roles import ROLES, Caller, NotAdmitted, RoleMissing
from ledger.config import Settings
from ledger.errors import UsageError
from ledger.imports.lines import Malformed, checked_name

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Public keys only: a shared secret would let whoever checks a token also make one. Never `none`."""

LEEWAY_SECONDS: Final = 30
"""By which the clocks of issuer and ledger may differ."""

LONGEST_BYTES: Final = 8_192


class JwtReader:
    """Reads the tokens of one issuer, meant for one audience."""

    def __init__(self, *, issuer: str, audience: str, role_claim: str, keys: Mapping[str, PyJWK]) -> None:
        """`keys`: by their `kid`. `role_claim`: the claim that names the caller's role or roles."""
        self._issuer = issuer
        self._audience = audience
        self._role_claim = role_claim
        self._keys = keys

    @classmethod
    def from_settings(cls, settings: Settings) -> "JwtReader | None":
        """Make the reader that the settings describe; None where they name no issuer. Raises UsageError."""
        if settings.oidc_audience is not None:
            reader = cls.for_audience(settings, settings.oidc_audience)
            if reader is not None:
                return reader
        elif settings.oidc_client_id is not None or (settings.oidc_issuer, settings.oidc_jwks_file) == (
            None,
            None,
        ):
            return None
        message = (
            "Settings: COVERLEDGER_OIDC_ISSUER, COVERLEDGER_OIDC_AUDIENCE and "
            "COVERLEDGER_OIDC_JWKS_FILE go together: set all three, or none."
        )
        raise UsageError(message)

    @classmethod
    def for_audience(cls, settings: Settings, audience: str) -> "JwtReader | None":
        """Make a reader of the issuer's tokens that are meant for somebody; None without issuer or keys."""
        if settings.oidc_issuer is None or settings.oidc_jwks_file is None:
            return None
        return cls(
            issuer=settings.oidc_issuer,
            audience=audience,
            role_claim=settings.oidc_role_claim,
            keys=read_jwks(settings.oidc_jwks_file),
        )

    def caller(self, token: str, *, nonce: str | None = None) -> Caller:
        """Return the caller whom the issuer vouches for. Raises NotAdmitted, saying what is wrong.

        `nonce`: that of an ID token, which was made for this signing in and for nobody else's.
        """
        if len(token) > LONGEST_BYTES:
            message = "the JWT is too long"
            raise NotAdmitted(message)
        try:
            claims = self._claims(token)
        except PyJWTError as error:
            message = f"the JWT is refused: {_why(error)}"
            raise NotAdmitted(message) from error
        if nonce is not None:
            self._refuse_elses(claims, nonce)
        return Caller(self._actor(claims), self._role(claims), "jwt")

    def _refuse_elses(self, claims: Mapping[str, Any], nonce: str) -> None:
        """Refuse an ID token that answers another signing in, or was given to another program."""
        if not compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            message = "the ID token is refused: its nonce is not the one that was sent"
            raise NotAdmitted(message)
        party, several = claims.get("azp"), isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if party != self._audience and (party is not None or several):
            message = "the ID token is refused: it was given to another program"
            raise NotAdmitted(message)

    def _claims(self, token: str) -> Mapping[str, Any]:
        header = jwt.get_unverified_header(token)
        key = self._keys.get(str(header.get("kid")))
        if key is None:
            message = "it is signed by a key that is not among the issuer's"
            raise NotAdmitted(message)
        # The algorithm is the key's, never the token's word for it.
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm_name],
            audience=self._audience,
            issuer=self._issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "iss", "aud", "sub"], "verify_signature": True},
        )
        return claims

    def _actor(self, claims: Mapping[str, Any]) -> str:
        try:
            actor = checked_name("sub", claims["sub"])
        except Malformed as error:
            message = f"the JWT is refused: {error}"
            raise NotAdmitted(message) from error
        if "@" in actor or " " in actor:
            # It is recorded with every event for ever: an id that says nothing, never a name.
            message = "the JWT is refused: its `sub` is no opaque id but looks like a name or an address"
            raise NotAdmitted(message)
        return actor

    def _role(self, claims: Mapping[str, Any]) -> str:
        said = claims.get(self._role_claim)
        named = [said] if isinstance(said, str) else said if isinstance(said, list) else []
        ours = [role for role in named if isinstance(role, str) and role in ROLES]
        if len(ours) != 1:
            message = (
                f"the JWT is refused: its claim `{self._role_claim}` must name exactly one of "
                f"{', '.join(ROLES)}"
            )
            raise RoleMissing(message)
        return ours[0]


def read_jwks(path: Path) -> Mapping[str, PyJWK]:
    """Read the issuer's keys by their `kid`. Raises UsageError for what is no set of public keys."""
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        keys = _public_keys(written["keys"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, PyJWTError) as error:
        # What the library says of a key may quote it.
        reason = "a key is malformed" if isinstance(error, PyJWTError) else _why(error)
        message = f"{path} is no JWKS of public keys ({reason}): fetch it anew from the issuer."
        raise UsageError(message) from error
    return keys


def _public_keys(written: Sequence[Mapping[str, Any]]) -> Mapping[str, PyJWK]:
    keys: dict[str, PyJWK] = {}
    for jwk in written:
        if jwk.get("use", "sig") != "sig":
            continue
        key = PyJWK(dict(jwk))
        if "d" in jwk or key.algorithm_name not in ALGORITHMS:
            message = f"the key {jwk.get('kid')!r} is private, or of an algorithm that is not taken"
            raise ValueError(message)
        if "kid" not in jwk or str(jwk["kid"]) in keys:
            message = "each key needs a `kid` of its own"
            raise ValueError(message)
        keys[str(jwk["kid"])] = key
    if not keys:
        message = "it holds no key"
        raise ValueError(message)
    return keys


def _why(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


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
        """Return whether the provider's answer is to this one."""
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

        Raises UsageError for settings that lack the rest of it.
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
            raise UsageError(message)
        secret = settings.oidc_client_secret
        return cls(issuer=settings.oidc_issuer, client_id=client_id, client_secret=secret, reader=reader)

    async def address(self, attempt: Attempt, redirect_uri: str) -> str:
        """Return the address that leads to the provider. Raises ProviderAway."""
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
        """Return the address at which people end their session at the provider; None where it has none."""
        described = await self._description()
        if "end_session_endpoint" not in described:
            return None
        asked = {"client_id": self.client_id, "post_logout_redirect_uri": back}
        return _with_query(await self._endpoint("end_session_endpoint"), asked)

    async def caller(self, attempt: Attempt, answer: Mapping[str, str], redirect_uri: str) -> Caller:
        """Return the person whom the provider vouches for. Raises NotAdmitted, saying what is wrong."""
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
    if not isinstance(told, dict) or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        message = f"the provider answers {status}, and not as a provider does"
        raise ProviderAway(message)
    if status != HTTPStatus.OK:
        message = f"the provider answers {status} {str(told.get('error', ''))[:40]}".rstrip()
        raise NotAdmitted(message)
    return told


def _with_query(address: str, asked: Mapping[str, str]) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked)}"
