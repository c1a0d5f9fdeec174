"""Every page in a real browser: nothing that keeps people out, nothing from elsewhere, light in weight."""

from collections.abc import Sequence

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from browser.running import COMPLAINT, OpenSite, Site

pytestmark = pytest.mark.test_all

PAGES = (
    "/",
    "/contracts",
    "/contracts?status=cancelled",
    "/contracts/new",
    "/contracts/CC-7-00118",
    "/contracts/CC-7-00118?as_of=900",
    "/contracts/CC-7-00118/replay",
    "/claims",
    "/claims/new",
    "/claims/CL-7-00118-1",
    "/claims/CL-7-00054-3",
    "/claims/CL-7-00118-1/replay",
    "/complaints",
    "/complaints/new",
    f"/complaints/{COMPLAINT}",
    "/due",
    "/due/calendar",
    "/letters",
    "/retention?until=2040-01-01",
    "/reports",
    "/reports/refunds",
    "/reports/payments",
    "/reports/recoveries",
    "/reports/guarantees",
    "/reports/bordereau",
    "/reports/timeline",
    "/persons",
    "/feed",
    "/feed/subscriptions",
    "/verify",
    "/cancellations?state=all",
)
PUBLIC_PAGES = ("/cancel", "/cancel/received", "/cancel/confirm?code=none", "/contracts")
"""What strangers see; of the last one that they have to sign in."""

HEAVIEST_BYTES = 250_000
WEIGHT_AND_PAINT = """() => new Promise((done) => {
    const look = () => {
        const [paint] = performance.getEntriesByName("first-contentful-paint");
        if (!paint) return setTimeout(look, 20);
        const loaded = [
            ...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource"),
        ];
        done([loaded.reduce((sum, entry) => sum + entry.encodedBodySize, 0), paint.startTime]);
    };
    look();
})"""
SERIOUS = {"serious", "critical"}


def serious_faults(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """What axe finds that is serious or worse, by all its rules or by these."""
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{page.url}: {fault['id']} {[node['target'] for node in fault['nodes']][:3]}"
        for fault in found
        if fault["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("part", [0, 1])
def test_axe_finds_nothing_serious_on_any_page_in_light_and_in_the_dark(
    site: Site, open_site: OpenSite, part: int
) -> None:
    faults: list[str] = []
    page, stranger = open_site("admin"), open_site(None)
    for visitor, addresses in ((page, PAGES), (stranger, PUBLIC_PAGES)):
        for address in addresses[part::2]:
            visitor.emulate_media(color_scheme="light")
            status = visitor.goto(site.address + address).status  # type: ignore[union-attr]  # it goes there
            assert visitor is stranger or status == 200, address
            faults += serious_faults(visitor)
            # Whatever else axe looks at is the same in the dark.
            visitor.emulate_media(color_scheme="dark")
            faults += serious_faults(visitor, ["color-contrast"])
    assert faults == []


def test_axe_sees_what_is_wrong(open_site: OpenSite) -> None:
    page = open_site("admin")
    page.evaluate("document.querySelector('h1').insertAdjacentHTML('afterend', '<input name=bare>')")
    assert any(": label " in fault for fault in serious_faults(page))


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("nl", 390), ("fr", 390)])
def test_no_page_is_wider_than_its_window(site: Site, open_site: OpenSite, language: str, width: int) -> None:
    page = open_site("admin", viewport={"width": width, "height": 844})
    page.goto(f"{site.address}/?language={language}")
    wider = []
    for address in PAGES:
        page.goto(site.address + address, wait_until="domcontentloaded")
        assert page.locator("html").get_attribute("lang") == language
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        wider += [f"{address}: {over}"] if over > 0 else []
    assert wider == []


def test_no_page_weighs_more_than_250_kB(site: Site, open_site: OpenSite) -> None:
    page = open_site("admin")
    page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    heavy, paints = [], {}
    for address in PAGES:
        page.goto(site.address + address)
        weight, paints[address] = page.evaluate(WEIGHT_AND_PAINT)
        heavy += [f"{address}: {weight:,} bytes"] if weight > HEAVIEST_BYTES else []
    assert heavy == []
    assert None not in paints.values(), paints
    assert len(paints) == len(PAGES)


def test_everything_is_reached_by_keys(site: Site, open_site: OpenSite) -> None:
    page = open_site("admin")
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/contracts")
    page.keyboard.press("/")
    page.keyboard.type("CC-7-00118")
    page.wait_for_url("**/contracts?search=CC-7-00118**")
    page.get_by_role("cell", name="CC-7-00118").get_by_role("link").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/contracts/CC-7-00118")
    page.goto(f"{site.address}/contracts/CC-7-00118/replay")
    step = page.locator("#step h2").inner_text()
    page.keyboard.press("k")
    page.wait_for_url("**step=**")
    assert page.locator("#step h2").inner_text() != step
    page.keyboard.press("?")
    assert page.locator("dialog#keys").is_visible()
    page.keyboard.press("Escape")
    page.goto(f"{site.address}/contracts")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"


def test_a_button_pressed_twice_records_once(site: Site, open_site: OpenSite) -> None:
    page = open_site()
    page.goto(f"{site.address}/claims/CL-7-00054-3")
    form = page.locator("form#form-GiveAdvice")
    form.evaluate("form => { form.closest('details').open = true }")
    form.get_by_label("Topics of the advice").fill("pressed_twice")
    form.get_by_role("button").dblclick()
    page.wait_for_url("**done=**")
    page.goto(f"{site.address}/claims/CL-7-00054-3")
    assert page.locator("#step-advise").inner_text().count("pressed twice") == 1


def test_a_form_warns_when_others_recorded_something_since_the_page_was_read(
    site: Site, open_site: OpenSite
) -> None:
    page = open_site()
    page.goto(f"{site.address}/claims/CL-7-00054-3")
    site.submit("GiveAdvice", claim="CL-7-00054-3", topics=["by_somebody_else"])
    form = page.locator("form#form-GiveAdvice")
    form.evaluate("form => { form.closest('details').open = true }")
    form.get_by_label("Topics of the advice").fill("read_before")
    form.get_by_role("button").click()
    alert = page.get_by_role("alert")
    assert "Others recorded something here since you opened the page" in alert.inner_text()
    page.locator("form#form-GiveAdvice").get_by_role("button").click()
    page.wait_for_url("**done=**")
    assert "read before" in page.locator("#step-advise").inner_text()


def test_verifying_shows_its_progress_and_its_outcome(site: Site, open_site: OpenSite) -> None:
    page = open_site("auditor")
    page.goto(f"{site.address}/verify")
    page.get_by_role("button", name="Verify now").click()
    page.get_by_text("Verified.", exact=True).wait_for(timeout=30_000)
    assert "signed heads" in page.locator("#run").inner_text()
