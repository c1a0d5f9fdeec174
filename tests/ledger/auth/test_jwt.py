"""JWTs of an OpenID Connect issuer: what is forged, expired or meant for others is refused."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from ledger.auth.oidc import JwtReader
from ledger.auth.roles import NotAdmitted
from ledger.config import Settings
from ledger.errors import UsageError

ISSUER, AUDIENCE = "https://login.example", "coverledger"
OURS = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
ELLIPTIC = ec.generate_private_key(ec.SECP256R1())
SOMEBODYS = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
PUBLIC_PEM = OURS.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


def jwks() -> dict[str, Any]:
    return {
        "keys": [
            json.loads(RSAAlgorithm.to_jwk(OURS.public_key())) | {"kid": "k1", "alg": "RS256", "use": "sig"},
            json.loads(ECAlgorithm.to_jwk(ELLIPTIC.public_key())) | {"kid": "k2", "alg": "ES256"},
            json.loads(RSAAlgorithm.to_jwk(SOMEBODYS.public_key())) | {"kid": "enc", "use": "enc"},
        ]
    }


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(jwks()))
    return Settings.load(home=tmp_path, oidc_issuer=ISSUER, oidc_audience=AUDIENCE, oidc_jwks_file=file)


@pytest.fixture
def reader(settings: Settings) -> JwtReader:
    reader = JwtReader.from_settings(settings)
    assert reader is not None
    return reader


def in_seconds(seconds: int) -> int:
    """A time of a token, counted from when it is made: a run may take hours."""
    return int(time.time()) + seconds


def claims(**more: object) -> dict[str, Any]:
    told = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "desk-17",
        "role": "back_office",
        "iat": in_seconds(0),
        "exp": in_seconds(600),
    } | more
    return {name: value for name, value in told.items() if value is not None}


def signed(told: dict[str, Any], key: Any = OURS, alg: str = "RS256", kid: str | None = "k1") -> str:  # noqa: ANN401
    return jwt.encode(told, key, alg, {"kid": kid} if kid else None)


def test_a_good_one_names_its_actor_and_role(reader: JwtReader) -> None:
    caller = reader.caller(signed(claims()))
    assert (caller.actor, caller.role, caller.credential) == ("desk-17", "back_office", "jwt")


def test_each_key_of_the_set_is_taken_with_its_own_algorithm(reader: JwtReader) -> None:
    assert reader.caller(signed(claims(), ELLIPTIC, "ES256", "k2")).actor == "desk-17"


def test_a_role_may_stand_among_roles_that_are_not_ours(reader: JwtReader) -> None:
    told = claims(role=["offline_access", "auditor"])
    assert reader.caller(signed(told)).role == "auditor"


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def tampered() -> str:
    header, _, signature = signed(claims(role="subscriber")).split(".")
    return f"{header}.{part(claims(role='admin'))}.{signature}"


def signed_with_the_public_key() -> str:
    # The classic confusion of algorithms: our public key, which everybody knows, taken for a shared secret.
    message = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'k1'})}.{part(claims(role='admin'))}"
    algorithm = jwt.get_algorithm_by_name("HS256")
    signature = algorithm.sign(message.encode(), PUBLIC_PEM)
    return f"{message}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def bearing_its_own_key() -> str:
    jwk = json.loads(RSAAlgorithm.to_jwk(SOMEBODYS.public_key()))
    return jwt.encode(claims(role="admin"), SOMEBODYS, "RS256", {"kid": "k1", "jwk": jwk})


FORGED = {
    "unsigned": lambda: f"{part({'alg': 'none', 'kid': 'k1'})}.{part(claims(role='admin'))}.",
    "signed with the public key as a shared secret": signed_with_the_public_key,
    "signed by somebody else under our key's name": lambda: signed(claims(role="admin"), SOMEBODYS),
    "signed by a key that is not in the set": lambda: signed(claims(), SOMEBODYS, kid="k9"),
    "signed by a key of the set that is not for signing": lambda: signed(claims(), SOMEBODYS, kid="enc"),
    "naming no key": lambda: signed(claims(), kid=None),
    "bringing its own key": bearing_its_own_key,
    "changed after it was signed": tampered,
    "of another algorithm than its key's": lambda: signed(claims(), OURS, "RS512"),
    "expired": lambda: signed(claims(exp=in_seconds(-60))),
    "not valid yet": lambda: signed(claims(nbf=in_seconds(600))),
    "issued in the future": lambda: signed(claims(iat=in_seconds(600))),
    "without an end": lambda: signed(claims(exp=None)),
    "of another issuer": lambda: signed(claims(iss="https://login.example.evil")),
    "meant for another audience": lambda: signed(claims(aud="another-program")),
    "meant for nobody": lambda: signed(claims(aud=None)),
    "of nobody": lambda: signed(claims(sub=None)),
    "of an actor that is time itself": lambda: signed(claims(sub="time")),
    "of a person's address": lambda: signed(claims(sub="ada.peeters@example.org")),
    "without a role": lambda: signed(claims(role=None)),
    "of a role that does not exist": lambda: signed(claims(role="root")),
    "of two roles of ours": lambda: signed(claims(role=["auditor", "admin"])),
    "cut short": lambda: signed(claims())[:-10],
    "no JWT at all": lambda: "a.b.c",
    "longer than any": lambda: signed(claims(more="x" * 9_000)),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_one_that_is(reader: JwtReader, forged: Any) -> None:  # noqa: ANN401
    with pytest.raises(NotAdmitted):
        reader.caller(forged())


def test_a_refusal_never_quotes_the_token(reader: JwtReader) -> None:
    for forged in FORGED.values():
        token = forged()
        with pytest.raises(NotAdmitted) as refused:
            reader.caller(token)
        assert not any(piece in str(refused.value) for piece in token.split(".") if len(piece) > 3)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{", "no JWKS"),
        ("[]", "no JWKS"),
        ('{"keys": []}', "holds no key"),
        ('{"keys": [{"kty": "RSA", "n": "x", "e": "AQAB", "d": "secret-part", "kid": "k"}]}', "no JWKS"),
        ('{"keys": [{"kty": "oct", "k": "c2VjcmV0LXBhcnQ", "kid": "k"}]}', "no JWKS"),
        ('{"keys": [{"kid": "k"}]}', "no JWKS"),
    ],
)
def test_a_file_that_is_no_set_of_public_keys_is_refused_at_start_and_not_quoted(
    settings: Settings, written: str, said: str
) -> None:
    assert settings.oidc_jwks_file is not None
    settings.oidc_jwks_file.write_text(written)
    with pytest.raises(UsageError, match=said) as refused:
        JwtReader.from_settings(settings)
    assert "secret" not in str(refused.value)
    assert "c2Vjc" not in str(refused.value)


def test_half_a_configuration_is_said_to_be_half_of_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="set all three, or none"):
        JwtReader.from_settings(Settings.load(home=tmp_path, oidc_issuer=ISSUER))
