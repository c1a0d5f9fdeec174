"""Signing in at an identity provider: who may come in does, and whatever is forged lets nobody in."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest
from joserfc.jwk import RSAKey

from coverledger.composition import opened
from fixtures.database import Template, migrated_database
from fixtures.program import settings_of
from fixtures.provider import CLIENT, SECRET, Organisation, running_organisation
from fixtures.served import WAIT_SECONDS, listening
from ledger.auth.oidc import Provider as OurProvider
from ledger.config import Settings
from ledger.errors import UsageError
from ledger.http.sign_in import BEGIN, CALLBACK

COOKIE, SESSION = "claims-ledger-signing-in", "claims-ledger-session"


@pytest.fixture(scope="module")
def running(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    with running_organisation(template, tmp_path_factory.mktemp("organisation")) as organisation:
        yield organisation


@pytest.fixture
def organisation(running: Organisation) -> Organisation:
    running.provider.honest()
    return running


@contextmanager
def browser(address: str) -> Iterator[httpx.Client]:
    """A browser that has been nowhere yet."""
    with httpx.Client(base_url=address, headers={"Accept": "text/html"}, timeout=WAIT_SECONDS) as client:
        yield client


def at_the_provider(client: httpx.Client, then: str = "/contracts", **person: str) -> httpx.Response:
    """Go to the provider, say who you are, and come back; gives what the site answers first."""
    asked = client.get(BEGIN, params={"then": then})
    assert asked.status_code == 303
    return client.get(let_in(client, asked.headers["location"], **person))


def let_in(client: httpx.Client, address: str, **person: str) -> str:
    """Say who you are; gives the address that leads back."""
    assert client.get(address).status_code == 200
    person = {"sub": "clerk-7", "role": "back_office"} | person
    return str(client.post(address, data=person).headers["location"])


def refused(client: httpx.Client, answer: httpx.Response, reason: str) -> str:
    """Make sure that nobody was let in; gives the page that says so."""
    assert (answer.status_code, answer.headers["location"]) == (303, f"/?sign_in={reason}")
    assert not {COOKIE, SESSION} & set(client.cookies)
    page = client.get(answer.headers["location"])
    assert page.status_code == 401
    return page.text


def test_whom_the_provider_vouches_for_comes_in_with_the_role_of_the_claim(
    organisation: Organisation,
) -> None:
    with browser(organisation.address) as client:
        back = at_the_provider(client)
        assert (back.status_code, back.headers["location"]) == (303, "/contracts")
        assert COOKIE not in client.cookies
        assert "HttpOnly" in next(said for said in back.headers.get_list("set-cookie") if SESSION in said)
        page = client.get("/contracts")
    assert page.status_code == 200
    assert "clerk-7 · back office" in page.text


def test_what_the_provider_is_asked_holds_a_challenge_and_no_verifier(organisation: Organisation) -> None:
    with browser(organisation.address) as client:
        asked = client.get(BEGIN)
        cookie = asked.headers["set-cookie"]
    told = {name: said for name, [said] in parse_qs(urlsplit(asked.headers["location"]).query).items()}
    assert set(told) == {
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method"),
    }
    assert (told["response_type"], told["code_challenge_method"]) == ("code", "S256")
    assert told["redirect_uri"] == organisation.address + CALLBACK
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert SECRET not in asked.text + asked.headers["location"] + cookie


def test_an_answer_that_this_browser_did_not_ask_for_lets_nobody_in(organisation: Organisation) -> None:
    with browser(organisation.address) as theirs, browser(organisation.address) as client:
        address = let_in(theirs, theirs.get(BEGIN).headers["location"])
        assert "was begun in another browser" in refused(client, client.get(address), "not_begun")
        client.get(BEGIN)
        refused(client, client.get(address), "not_begun")


def test_a_code_works_in_one_browser_and_once(organisation: Organisation) -> None:
    with browser(organisation.address) as theirs, browser(organisation.address) as client:
        address = let_in(theirs, theirs.get(BEGIN).headers["location"])
        [code] = parse_qs(urlsplit(address).query)["code"]
        ours = let_in(client, client.get(BEGIN).headers["location"])
        swapped = re.sub(r"code=[^&]+", f"code={code}", ours)
        refused(client, client.get(swapped), "refused")  # The provider wants the verifier of the other one.
        assert at_the_provider(theirs).headers["location"] == "/contracts"
        refused(client, client.get(ours), "not_begun")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": "of-another-signing-in"}, "refused"),
        ({"aud": ["another-program"]}, "refused"),
        ({"aud": [CLIENT, "another-program"]}, "refused"),
        ({"azp": "another-program"}, "refused"),
        ({"iss": "https://login.evil.example"}, "refused"),
        ({"exp": 1_700_000_000}, "refused"),
        ({"sub": "ada.peeters@example.org"}, "refused"),
        ({"role": "emperor"}, "no_role"),
        ({"role": ["admin", "auditor"]}, "no_role"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_id_token_that_says_otherwise_lets_nobody_in(
    organisation: Organisation, claims: dict[str, object], reason: str
) -> None:
    organisation.provider.claims = claims
    with browser(organisation.address) as client:
        refused(client, at_the_provider(client), reason)


def test_an_id_token_that_somebody_else_signed_lets_nobody_in(organisation: Organisation) -> None:
    organisation.provider.signs_with = RSAKey.generate_key(2048)
    with browser(organisation.address) as client:
        refused(client, at_the_provider(client), "refused")


def test_somebody_whom_the_provider_turns_away_is_told_so(organisation: Organisation) -> None:
    with browser(organisation.address) as client:
        assert "did not let you in" in refused(client, at_the_provider(client, no="yes"), "denied")


def test_nobody_is_led_to_another_site_in_the_end(organisation: Organisation) -> None:
    with browser(organisation.address) as client:
        for then in ("https://evil.example/", "//evil.example", "/\\evil.example"):
            assert at_the_provider(client, then).headers["location"] == "/"


def test_who_signs_out_is_out_at_once_and_may_sign_out_at_the_provider_too(
    organisation: Organisation,
) -> None:
    with browser(organisation.address) as client:
        at_the_provider(client)
        session = client.cookies[SESSION]
        out = client.post("/sign-out", headers={"Origin": organisation.address})
        page = client.get(out.headers["location"])
        assert "You are signed out." in page.text
        client.cookies.set(SESSION, session)
        assert client.get("/contracts").status_code == 401
        there = client.get("/sign-in/openid/out")
        assert there.headers["location"].startswith(f"{organisation.provider.issuer}/end?")
        assert client.get(there.headers["location"]).headers["location"] == organisation.address + "/"


def test_a_provider_that_is_away_is_told_as_a_page_and_to_a_program_as_a_problem(
    organisation: Organisation, template: Template, tmp_path: Path
) -> None:
    jwks = organisation.provider.write_jwks(tmp_path / "jwks.json")
    with migrated_database(template) as database:
        settings = Settings.load(
            home=tmp_path,
            oidc_issuer="http://127.0.0.1:9",
            oidc_jwks_file=jwks,
            oidc_client_id=CLIENT,
            **settings_of(database),
        )
        with (
            opened("cyber-care", settings, kind="simulated") as wiring,
            listening(wiring) as address,
            browser(address) as client,
        ):
            assert "does not answer just now" in refused(client, client.get(BEGIN), "away")
            told = client.get(BEGIN, headers={"Accept": "application/json"})
    assert (told.status_code, told.json()["type"].rpartition("/")[2]) == (401, "UNAUTHENTICATED")


def test_without_settings_there_is_no_such_way_and_half_of_them_are_refused(tmp_path: Path) -> None:
    assert OurProvider.from_settings(Settings.load(home=tmp_path)) is None
    with pytest.raises(UsageError, match="COVERLEDGER_OIDC_JWKS_FILE"):
        OurProvider.from_settings(Settings.load(home=tmp_path, oidc_client_id=CLIENT))
