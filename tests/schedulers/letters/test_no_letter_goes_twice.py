"""The program dies at every step between a wanted letter and its hand-over: each goes once, none is lost.

A child process does the work and ends itself without another word (os._exit) at the first step, the next time
at the second, and so on; the parent starts it again each time, as the next tick would.
"""

import multiprocessing
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from letter_desk import PRESS, all_letters, events, fetched, start_due_in, with_settings

from coverledger.composition import opened
from fixtures.database import Database
from fixtures.program import settings_of
from ledger.app import App
from ledger.config import Settings
from schedulers.letters import carriers, handover, store, writer
from schedulers.letters.worker import hand, prepare

DIED = 86
# Not forked from here: typst's threads do not come along, and what waits for them waits for ever.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["ledger.app", "ledger.application", "schedulers.letters.worker"])
STEPS: tuple[tuple[Any, str], ...] = (
    (store.LetterStore, "put"),
    (store, "sync_folder"),
    (writer, "change"),
    (writer, "record"),
    (handover, "change"),
    (handover, "record"),
    (carriers.FolderCarrier, "stage"),
    (carriers.FolderCarrier, "deliver"),
    (carriers, "write_atomically"),
    (carriers.HttpCarrier, "deliver"),
    (carriers.HttpCarrier, "_send"),
)
"""Before and after each call of these the program may die."""


class Deaths:
    """Ends the process at the n-th step."""

    def __init__(self, at: int) -> None:
        self.left = at

    def maybe(self) -> None:
        if self.left == 0:
            os._exit(DIED)
        self.left -= 1

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: object, **named: object) -> object:
            self.maybe()
            result = call(*arguments, **named)
            self.maybe()
            return result

        return step


def work(settings: Settings, dies_at: int | None) -> None:
    """One turn of the letters; with `dies_at`, it ends at that step."""
    if dies_at is not None:
        deaths = Deaths(dies_at)
        for owner, name in STEPS:
            setattr(owner, name, deaths.around(getattr(owner, name)))
    with opened("cyber-care", settings) as wiring:
        prepare(wiring, PRESS)
        hand(wiring)
    os._exit(0)


def turn(settings: Settings, dies_at: int | None) -> bool:
    """Whether a turn in a process of its own came to its end."""
    process = FORKS.Process(target=work, args=(settings, dies_at))
    process.start()
    process.join(60)
    process.kill()
    process.join()
    assert process.exitcode in (0, DIED), process.exitcode
    return process.exitcode == 0


class PrintHouse:
    """A carrier's server that posts a letter once a reference, and counts how often it was sent."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.posted: set[str] = set()
        house = self

        class Desk(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                reference = self.headers["Idempotency-Key"]
                self.rfile.read(int(self.headers["Content-Length"]))
                house.sent[reference] += 1
                house.posted.add(reference)
                self.send_response(202)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's own
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
        self.url = f"http://127.0.0.1:{self.server.server_port}/letters"
        self.thread = Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def print_house() -> Iterator[PrintHouse]:
    house = PrintHouse()
    yield house
    house.close()


def die_at_every_step(settings: Settings, after_each: Callable[[], None]) -> int:
    """Give each step its letter to die with; number of deaths."""
    deaths, came_through = 0, False
    while not came_through:
        with opened("cyber-care", settings) as wiring:
            start_due_in(wiring, f"CC-{deaths}", days=10)
        came_through = turn(settings, deaths)
        after_each()
        with opened("cyber-care", settings) as wiring:
            prepare(wiring, PRESS)
            hand(wiring)
        after_each()
        deaths += not came_through
    return deaths


def told_once(wiring: App) -> None:
    letters = all_letters(wiring.pool, wiring.book)
    assert {letter.status for letter in letters} == {"handed_over"}
    for letter in letters:
        told = Counter(events(wiring, letter.contract))
        assert (told["contract.LetterPrepared"], told["contract.LetterHandedOver"]) == (1, 1)


@pytest.mark.test_all
def test_a_print_house_that_fetches_at_once_gets_each_letter_once(database: Database, tmp_path: Path) -> None:
    settings = Settings.load(home=tmp_path / "home", **settings_of(database))
    outbox, gone = settings.letters_folder / "outbox", Counter[str]()

    def fetch() -> None:
        gone.update(fetched(outbox))
        for batch in outbox.glob("[!.]*"):
            shutil.rmtree(batch)

    deaths = die_at_every_step(settings, fetch)
    with opened("cyber-care", settings) as wiring:
        told_once(wiring)
        letters = all_letters(wiring.pool, wiring.book)
    assert gone == Counter(letter.reference for letter in letters)
    assert len(letters) == deaths + 1
    assert deaths > 15


@pytest.mark.test_all
def test_a_carrier_by_http_is_asked_again_under_the_same_reference_alone(
    database: Database, tmp_path: Path, print_house: PrintHouse
) -> None:
    settings = Settings.load(home=tmp_path / "home", letters_carrier=print_house.url, **settings_of(database))
    deaths = die_at_every_step(settings, lambda: None)
    with opened("cyber-care", settings) as wiring:
        told_once(wiring)
        letters = all_letters(wiring.pool, wiring.book)
    assert print_house.posted == {letter.reference for letter in letters}
    assert max(print_house.sent.values()) == 2
    assert len(letters) == deaths + 1


def test_what_a_carrier_refuses_is_tried_again_and_told_once(
    wiring: App, print_house: PrintHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    print_house.close()
    away = with_settings(wiring, letters_carrier=print_house.url)
    start_due_in(away, "CC-1", days=10)
    assert (prepare(away, PRESS), hand(away)) == (1, 0)
    [letter] = all_letters(away.pool, away.book)
    assert letter.status == "staged"

    monkeypatch.setattr(carriers.HttpCarrier, "_send", lambda _self, _parcel: None)
    assert hand(away) == 1
    assert events(away, "CC-1")[-1] == "contract.LetterHandedOver"
    away.close()
