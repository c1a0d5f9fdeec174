"""JWTs of an OpenID Connect issuer, checked against a fixed set of its keys (JWKS, RFC 7517)."""

import json
from collections.abc import Mapping, Sequence
from hmac import compare_digest
from pathlib import Path
from typing import Any, Final

import jwt
from jwt import PyJWK, PyJWTError

from ledger.endings import UsedWrongly
from ledger.importing.envelope import checked_name
from ledger.importing.lines import Malformed
from ledger.rights.caller import Caller
from ledger.rights.refusals import NotAdmitted, RoleMissing
from ledger.rights.roles import ROLES
from ledger.settings import Settings

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
        """Make the reader that the settings describe; None where they name no issuer. Raises UsedWrongly."""
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
        raise UsedWrongly(message)

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
        """Give the caller whom the issuer vouches for. Raises NotAdmitted, saying what is wrong.

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
    """Read the issuer's keys by their `kid`. Raises UsedWrongly for what is no set of public keys."""
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        keys = _public_keys(written["keys"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, PyJWTError) as error:
        # What the library says of a key may quote it.
        reason = "a key is malformed" if isinstance(error, PyJWTError) else _why(error)
        message = f"{path} is no JWKS of public keys ({reason}): fetch it anew from the issuer."
        raise UsedWrongly(message) from error
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
