"""A browser's own EventSource on the feed: after a cut it resumes by itself, and misses nothing."""

import signal
import socket
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from fixtures.database import Database
from fixtures.desk import contract, send
from fixtures.program import Program, ended_by, environment_for, settings_of
from fixtures.served import standing_book
from ledger.app import App
from ledger.auth.tokens import LINK_LASTS, Tokens

SECONDS = 40.0

LISTEN = """
() => {
  window.heard = [];
  const source = new EventSource("/v1/cyber-care/events/stream?after=-1");
  source.onmessage = (event) => window.heard.push([event.lastEventId, JSON.parse(event.data).subject]);
}
"""


@pytest.mark.test_all
def test_a_browsers_event_source_resumes_after_a_cut_and_hears_every_event_once(
    database: Database, tmp_path: Path, chromium: Browser
) -> None:
    home = tmp_path / "home"
    given = {f"COVERLEDGER_{name.upper()}": dsn for name, dsn in settings_of(database).items()}
    program = Program(environment_for(home, **given))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with standing_book(database, home) as wiring:
        running = program.up("--port", str(port))
        page = _signed_in(chromium, wiring, f"http://127.0.0.1:{port}")
        page.evaluate(LISTEN)
        _start(wiring, 1, 5)
        _heard(page, 5)
        for turn in (1, 2):
            # The server goes away, more is recorded, and another one comes.
            assert ended_by(running, signal.SIGTERM)[0] == 0
            _start(wiring, 5 * turn + 1, 5)
            running = program.up("--port", str(port))
            heard = _heard(page, 5 * turn + 5)
        page.context.close()
        assert ended_by(running, signal.SIGTERM)[0] == 0
    assert heard == [[str(number), f"contract/CC-{number + 1}"] for number in range(15)]


def _signed_in(chromium: Browser, wiring: App, address: str) -> Page:
    tokens = Tokens(wiring.pool, wiring.book)
    _, code = tokens.create("link", role="auditor", name="a-3", created_by="test", lasts=LINK_LASTS)
    page = chromium.new_context().new_page()
    # A page of the same address that does nothing of its own.
    page.route("**/blank", lambda route: route.fulfill(content_type="text/html", body="<title>blank</title>"))
    page.goto(f"{address}/sign-in?code={code}&then=/livez")
    page.goto(f"{address}/blank")
    return page


def _start(wiring: App, first: int, number: int) -> None:
    for one in range(first, first + number):
        assert send(wiring, "StartContract", contract(f"CC-{one}"), may_backdate=False).status == "recorded"


def _heard(page: Page, number: int) -> list[list[str]]:
    """Wait until so many events were heard; gives all of them."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        heard: list[list[str]] = page.evaluate("window.heard")
        if len(heard) >= number:
            break
        page.wait_for_timeout(100)
    return heard
