"""The ways that people go on the site, from end to end, with JavaScript and without."""

import email
import json
import re
import time
from email.policy import default
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.running import OpenSite, Site
from projections.cancellation_requests import requests

pytestmark = pytest.mark.test_all

SERVED_SECONDS = 15.0

_numbers = count(1)


@pytest.fixture(params=[True, False], ids=["with_javascript", "without_javascript"])
def script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def started(site: Site, *, starts_on: str = "2025-10-01", mail: str | None = "ada@example.org") -> str:
    """A contract of its own for each way; its policyholder is Ada Peeters."""
    number = f"WAY-{next(_numbers)}"
    holder = {"person": f"P-{number}", "name": "Ada Peeters"} | ({"email": mail} if mail else {})
    site.submit(
        "StartContract",
        contract=number,
        product="cyber-care",
        starts_on=starts_on,
        language="en",
        policyholder=holder,
    )
    return number


def read(page: Page, site: Site, address: str) -> Any:  # noqa: ANN401  # whatever the page tells
    """What a page tells as JSON, to whoever is signed in, once it shows all that was recorded."""
    site.shown()
    return page.request.get(f"{site.address}{address}.json").json()


def card(page: Page, step: str) -> "Page":
    return page.locator(f"#step-{step}")  # type: ignore[return-value]  # a part of the page acts like one


def press(page: Page, command: str) -> None:
    page.locator(f"form#form-{command} button").first.click()


def open_claim(page: Page, site: Site, contract: str, claim: str, occurred: str = "2026-02-10") -> None:
    page.goto(f"{site.address}/contracts/{contract}")
    page.get_by_role("link", name="Open a claim").click()
    page.get_by_label("Claim number").fill(claim)
    expect(page.get_by_label("Contract number")).to_have_value(contract)
    page.get_by_label("Guarantee").select_option("payment")
    page.get_by_label("Cause").select_option("fraud")
    page.get_by_label("Happened on").fill(occurred)
    page.get_by_label("Victim's person number").fill(f"P-{contract}")
    page.get_by_label("Victim's name").fill("Ada Peeters")
    page.get_by_label("Relation to the policyholder").select_option("policyholder")
    page.get_by_role("button", name="Open a claim").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Claim {claim}")


def identified_and_complete(page: Page) -> None:
    page.get_by_label("How the caller was identified").fill("callback")
    press(page, "IdentifyClaimant")
    expect(card(page, "identify")).to_contain_text("Claimant identified")
    press(page, "CompleteSubmission")
    expect(card(page, "refund")).to_contain_text("Submission complete")


def accept(page: Page, loss: str) -> None:
    page.get_by_label("Loss in euro").fill(loss)
    press(page, "AcceptClaim")


def test_a_claim_goes_from_the_first_call_to_its_refund(
    site: Site, open_site: OpenSite, *, script: bool
) -> None:
    page, contract = open_site(script=script), started(site)
    claim = f"CL-{contract}"
    open_claim(page, site, contract, claim)
    expect(page.get_by_role("status")).to_contain_text("Claim opened")

    page.get_by_label("How the caller was identified").fill("callback")
    press(page, "IdentifyClaimant")
    page.get_by_label("Topics of the advice").fill("change_passwords, block_card")
    press(page, "GiveAdvice")
    expect(card(page, "advise")).to_contain_text("change passwords, block the card")
    press(page, "CompleteSubmission")
    accept(page, "1.250,00")
    expect(card(page, "refund")).to_contain_text("€1,250.00 approved of €1,250.00 lost")
    page.get_by_label("Payment reference").fill(f"PAY-{claim}")
    press(page, "IssueRefund")

    expect(card(page, "refund")).to_contain_text(f"€1,250.00 · PAY-{claim}")
    shown = read(page, site, f"/claims/{claim}")
    assert shown["refunded_cents"] == 125_000
    assert [(row["kind"], row["status"]) for row in shown["due"]] == [("refund", "met")]


def test_the_third_claim_is_capped_by_the_limit_and_a_fourth_is_refused_by_LIMIT_COUNT(
    site: Site, open_site: OpenSite, *, script: bool
) -> None:
    page, contract = open_site(script=script), started(site)
    for number, loss in ((1, "2000.00"), (2, "2000.00"), (3, "3000.00")):
        open_claim(page, site, contract, f"{contract}-{number}")
        identified_and_complete(page)
        accept(page, loss)
    refund = card(page, "refund")
    expect(refund).to_contain_text("€1,000.00 approved of €3,000.00 lost")
    expect(refund).to_contain_text("capped by the limit, excess €2,000.00")

    page.goto(f"{site.address}/contracts/{contract}")
    expect(page.get_by_text("€0.00 left of €5,000.00")).to_be_visible()
    expect(page.get_by_text("0 of 3 claims left")).to_be_visible()

    open_claim(page, site, contract, f"{contract}-4")
    identified_and_complete(page)
    accept(page, "100.00")
    expect(page.get_by_role("alert")).to_contain_text("LIMIT_COUNT (I8)")
    expect(page.get_by_role("alert")).to_contain_text("Reject the claim")
    assert read(page, site, f"/claims/{contract}-4")["status"] == "submitted"


def served(site: Site, contract: str) -> None:
    """Wait until the request's link was sent, or it is written down why not."""
    begun = time.monotonic()
    while time.monotonic() - begun < SERVED_SECONDS:
        with site.wiring.pool.connection() as connection:
            found = requests(connection, site.wiring.book, contract=contract)
        if found and (found[0].mailed_at or found[0].mail_told):
            return
        time.sleep(0.1)
    message = f"nothing was sent for {contract}"
    raise AssertionError(message)


def link_in_mail(site: Site, contract: str) -> str:
    """Read the link out of the mail that was written for a contract."""
    for path in (site.home / "mail").glob("*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=default)
        if message["Subject"].endswith(f" {contract}"):
            assert message["To"] == "ada@example.org"
            found = re.search(r"http\S+", message.get_content())
            assert found
            return found[0]
    message = f"no mail for {contract}"
    raise AssertionError(message)


def test_a_customer_cancels_by_the_form_and_the_link_and_sees_the_exact_end(
    site: Site, open_site: OpenSite, *, script: bool
) -> None:
    contract = started(site, starts_on="2025-06-15")
    page = open_site(None, script=script)
    page.goto(f"{site.address}/cancel")
    answers = []
    for number in ("no such contract", contract):
        page.goto(f"{site.address}/cancel")
        page.get_by_label("Number of your contract").fill(number)
        page.get_by_role("button", name="Send the form").click()
        answers.append((page.url, page.locator("main").inner_text()))
    assert answers[0] == answers[1]

    served(site, contract)
    page.goto(link_in_mail(site, contract))
    # The book stands at 1 March 2026, after the gate: a month and a day on (R5).
    expect(page.locator("main")).to_contain_text("your cover ends on 2 Apr 2026")
    desk = open_site(script=script)
    assert read(desk, site, f"/contracts/{contract}")["status"] == "active"
    page.get_by_role("button", name="Yes, cancel my contract").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your contract is cancelled")
    expect(page.locator("main")).to_contain_text("ends on 2 Apr 2026")

    shown = read(desk, site, f"/contracts/{contract}")
    assert (shown["status"], shown["ends_on"]) == ("notice_given", "2026-04-02")
    page.goto(link_in_mail(site, contract))
    expect(page.get_by_role("heading", level=1)).to_have_text("Your contract is cancelled")


def test_the_desk_confirms_for_whom_no_address_is_on_file(
    site: Site, open_site: OpenSite, *, script: bool
) -> None:
    contract = started(site, starts_on="2026-02-01", mail=None)
    stranger = open_site(None, script=script)
    stranger.goto(f"{site.address}/cancel")
    stranger.get_by_label("Number of your contract").fill(contract)
    stranger.get_by_role("button", name="Send the form").click()
    served(site, contract)

    page = open_site(script=script)
    page.goto(f"{site.address}/cancellations")
    row = page.get_by_role("row").filter(has_text=contract)
    expect(row).to_contain_text("no e-mail address on file")
    row.get_by_role("button", name="Confirm").click()
    # Received before the gate of 1 August: deemed given then, ends a month and a day on (R4, R5).
    expect(page.get_by_role("status")).to_contain_text(f"Contract {contract} ends on 2 Sept 2026")
    assert read(page, site, f"/contracts/{contract}")["ends_on"] == "2026-09-02"


def test_an_auditor_replays_a_contract_as_of_an_earlier_day_and_downloads_a_proof_that_verifies(
    site: Site, open_site: OpenSite, *, script: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    contract = started(site)
    position = site.shown()
    site.submit("GiveNotice", contract=contract, received_on="2026-03-01", channel="counter")
    page = open_site("auditor", script=script)

    page.goto(f"{site.address}/contracts/{contract}?as_of={position}")
    expect(page.locator(".page-head .badge")).to_have_text("active")
    expect(page.get_by_role("button", name="Record a notice")).to_have_count(0)
    page.get_by_role("link", name="Replay").click()
    expect(page.get_by_role("heading", name="Step")).not_to_contain_text("Notice")
    steps = page.locator(".reel li")
    known_then = steps.count()
    page.goto(f"{site.address}/contracts/{contract}/replay")
    assert steps.count() == known_then + 1
    expect(page.get_by_role("heading", name="Step")).to_contain_text("Notice received")
    expect(page.locator(".diff")).to_contain_text("notice_given")
    page.get_by_role("link", name="Before").click()
    expect(page.get_by_role("heading", name="Step")).not_to_contain_text("Notice received")

    with page.expect_download() as coming:
        page.get_by_role("link", name="Download the proof").click()
    file = tmp_path_factory.mktemp("proof") / coming.value.suggested_filename
    coming.value.save_as(file)
    vkey = site.json("checkpoint", "--vkey")["verifier_key"]
    verified = site.program.run("verify", str(file), "--key", vkey, "--json")
    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)["verified"] is True


def test_an_erased_person_is_erased_on_every_page(site: Site, open_site: OpenSite, *, script: bool) -> None:
    page, contract = open_site("admin", script=script), started(site)
    claim = f"CL-{contract}"
    open_claim(page, site, contract, claim)
    site.submit(
        "LodgeComplaint",
        complaint=f"X-{contract}",
        contract=contract,
        received_on="2026-03-01",
        subject="Ada is not amused",
    )
    pages = (f"/contracts/{contract}", f"/claims/{claim}")
    for address in pages:
        page.goto(site.address + address)
        page.get_by_label("Why you open the names").fill("call of the policyholder")
        page.get_by_role("button", name="Open the names").click()
        expect(page.locator("main")).to_contain_text("Ada Peeters")

    person = f"P-{contract}"
    assert site.program.run("subject", "erase", person, "--reason", "asked for").returncode == 0
    [first, *_] = read(page, site, f"/contracts/{contract}/replay")
    replayed = f"/contracts/{contract}/replay?step={first['position']}"
    for address in (*pages, f"/complaints/X-{contract}", replayed, "/feed"):
        page.goto(site.address + address)
        expect(page.locator("main")).to_contain_text("[erased]")
        assert "Ada" not in page.content()
    for address in pages:
        page.goto(site.address + address)
        page.get_by_label("Why you open the names").fill("call of the policyholder")
        page.get_by_role("button", name="Open the names").click()
        expect(page.locator("main")).to_contain_text("[erased]")
        assert "Ada" not in page.content()
