"""A real `up` with the sample book, and a real Chromium in front of it."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from coverledger.composition import opened
from fixtures.database import Template, migrated_database
from fixtures.program import END_SECONDS, EXECUTABLE, READY_SECONDS, Program, environment_for, settings_of
from ledger.app import App
from ledger.auth.tokens import LINK_LASTS, Tokens
from ledger.command_envelope import submission
from ledger.config import Settings
from ledger.store.diagnostics import examine_feed

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True, slots=True)
class Site:
    """A running site, and beside it the same ledger opened in this process and its command line."""

    address: str
    program: Program
    home: Path
    wiring: App

    def submit(self, command: str, **fields: object) -> None:
        """Send one command as another desk would; it must be recorded."""
        answer = self.wiring.ledger.submit(submission(token_hex(8), command, fields, actor="desk-1"))
        assert answer.status == "recorded", answer
        self.shown()

    def shown(self) -> int:
        """Wait until all that is recorded is sealed and in the views; gives the feed's end."""
        begun = time.monotonic()
        while time.monotonic() - begun < SHOWN_SECONDS:
            with self.wiring.pool.connection() as connection:
                feed = examine_feed(connection, self.wiring.book)
            if not feed.unsealed and set(feed.followers.values()) == {feed.end}:
                return feed.end
            time.sleep(0.02)
        message = f"the views are behind: {feed}"
        raise AssertionError(message)

    def link(self, role: str, name: str = "desk-7") -> str:
        """Make a sign-in link."""
        tokens = Tokens(self.wiring.pool, self.wiring.book)
        _, code = tokens.create("link", role=role, name=name, created_by="test", lasts=LINK_LASTS)
        return f"{self.address}/sign-in?code={code}"

    def json(self, *words: str) -> Any:  # noqa: ANN401  # whatever is printed
        """Run a command and read what it prints."""
        ended = self.program.run(*words, "--json")
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)


@pytest.fixture(scope="session")
def site(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`up --demo` on a database of its own: 120 contracts, standing at 2026-03-01."""
    folder = tmp_path_factory.mktemp("site")
    home, log = folder / "home", folder / "up.log"
    with migrated_database(template) as database:
        given = {f"COVERLEDGER_{key.upper()}": dsn for key, dsn in settings_of(database).items()}
        program = Program(environment_for(home, **given))
        # Into a file: a pipe that nobody reads fills up with lines on requests, and then everything waits.
        with log.open("w") as written:
            running = subprocess.Popen(
                [EXECUTABLE, "up", "--demo"],
                env=program.environment,
                stdout=subprocess.DEVNULL,
                stderr=written,
                start_new_session=True,
            )
        try:
            address = _ready_address(running, log)
            settings = Settings.load(home=home, **settings_of(database))
            with opened("cyber-care", settings, kind="simulated") as wiring:
                running_site = Site(address, program, home, wiring)
                running_site.submit(
                    "LodgeComplaint",
                    complaint=COMPLAINT,
                    contract="CC-7-00118",
                    claim="CL-7-00118-1",
                    received_on="2026-02-27",
                    subject="Too late",
                )
                yield running_site
        finally:
            running.send_signal(signal.SIGINT)
            code = running.wait(END_SECONDS)
    said = log.read_text()
    assert code == 0, said
    assert "http_defect" not in said, said
    assert "service_waits" not in said, said


def _ready_address(running: "subprocess.Popen[bytes]", log: Path) -> str:
    begun = time.monotonic()
    while time.monotonic() - begun < READY_SECONDS:
        said = log.read_text()
        found = re.search(r"^HTTP\s+(\S+)", said, re.MULTILINE)
        if found and re.search(r"^Ready", said, re.MULTILINE):
            return found[1]
        assert running.poll() is None, said
        time.sleep(0.1)
    message = f"up did not get ready in time: {log.read_text()}"
    raise AssertionError(message)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


COMPLAINT = "X-SEEN"
"""A complaint on the sample book, which has none of its own."""

SHOWN_SECONDS = 10.0

_visitors = count(1)

OpenSite = Callable[..., Page]


@pytest.fixture
def open_site(site: Site, chromium: Browser) -> Iterator[OpenSite]:
    """Open the site as somebody with a role (None: a stranger), with or without JavaScript.

    At the end: no request left the machine, nothing broke the Content-Security-Policy, no script failed.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_it(role: str | None = "back_office", *, script: bool = True, **how: object) -> Page:
        context = chromium.new_context(
            java_script_enabled=script,
            # Each visitor comes from an address of its own, as a proxy in front tells it.
            extra_http_headers={"X-Forwarded-For": f"192.0.2.{next(_visitors)}"},
            viewport=how.pop("viewport", {"width": 1280, "height": 900}),
            **how,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("request", lambda request: _leaves(site, request.url, faults))
        page.on("console", lambda said: _said(said.type, said.text, faults))
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        if role is not None:
            page.goto(site.link(role))
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert faults == []


def _leaves(site: Site, url: str, faults: list[str]) -> None:
    if not url.startswith((f"{site.address}/", "data:", "blob:")):
        faults.append(f"left the machine: {url}")


def _said(kind: str, text: str, faults: list[str]) -> None:
    # That a refused form is answered 409 or 422 is what it should be; the browser's console tells of it.
    if kind == "error" and "the server responded with a status of 4" not in text:
        faults.append(f"console: {text}")
