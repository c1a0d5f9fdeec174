"""The docs' site in a real browser: what it asks for, and how it looks on a phone."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser

from architecture.test_docs_site import build

pytestmark = pytest.mark.test_all


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing of a request."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("docs") / "site"
    built = build(site)
    assert built.returncode == 0, built.stderr
    return site


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


def test_no_page_asks_elsewhere_or_fails_or_is_wider_than_a_phone(
    chromium: Browser, folder: Path, address: str
) -> None:
    faults = []
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.on(
        "request", lambda asked: asked.url.startswith(("data:", f"{address}/")) or faults.append(asked.url)
    )
    page.on("console", lambda said: faults.append(f"{page.url}: {said.text}"))
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    assert "views/index.html" in names
    for name in names:
        page.goto(f"{address}/{name}")
        if page.evaluate("document.documentElement.scrollWidth") > 390:
            faults.append(f"{name} is wider than the phone")
    context.close()
    assert faults == []


def test_a_search_finds_a_page(chromium: Browser, address: str) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{address}/index.html")
    page.get_by_role("textbox", name="Search").fill("retention")
    page.locator(".md-search-result__item").first.wait_for(timeout=10_000)
    context.close()


def test_a_page_opens_from_the_disk_with_its_styles(chromium: Browser, folder: Path) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"file://{folder}/settings.html")
    colour = page.evaluate("getComputedStyle(document.querySelector('.md-header')).backgroundColor")
    context.close()
    assert colour == "rgb(11, 95, 86)"
