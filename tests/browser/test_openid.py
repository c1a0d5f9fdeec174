"""Signing in at an identity provider with a real browser, with JavaScript and without."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from fixtures.database import Template
from fixtures.provider import Organisation, running_organisation

pytestmark = pytest.mark.test_all


@pytest.fixture(scope="module")
def organisation(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    with running_organisation(template, tmp_path_factory.mktemp("organisation")) as running:
        yield running


def let_in(page: Page, role: str) -> None:
    page.get_by_role("link", name="Sign in with your organisation").click()
    page.get_by_label("Who are you?").fill("clerk-7")
    page.get_by_label("Role").fill(role)
    page.get_by_role("button", name="Let me in").click()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_somebody_signs_in_at_the_organisation_and_out_again(
    organisation: Organisation, chromium: Browser, *, script: bool
) -> None:
    organisation.provider.honest()
    said: list[str] = []
    context = chromium.new_context(java_script_enabled=script)
    page = context.new_page()
    page.on("console", lambda told: said.append(told.text) if "Security Policy" in told.text else None)
    page.goto(f"{organisation.address}/contracts?status=active")

    organisation.provider.claims = {"nonce": "forged"}
    let_in(page, "back_office")
    expect(page.get_by_role("alert")).to_contain_text("does not hold, so nobody was let in")

    organisation.provider.honest()
    let_in(page, "emperor")
    expect(page.get_by_role("alert")).to_contain_text("have no role in the ledger yet")

    page.goto(f"{organisation.address}/contracts?status=active")
    let_in(page, "back_office")
    assert page.url == f"{organisation.address}/contracts?status=active"
    expect(page.locator(".who")).to_contain_text("clerk-7 · back office")

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("alert")).to_contain_text("You are signed out.")
    page.get_by_role("link", name="Sign out of your organisation as well").click()
    assert page.url == f"{organisation.address}/"
    page.goto(f"{organisation.address}/contracts")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert said == []
    context.close()
