"""Sender and receiver killed at every step: no event missed, none doubled by its id, order kept.

In full 10,000 events and 40 deaths of each; every run a few, at each step at least once.
"""

import subprocess
import sys
import time
from collections import Counter
from itertools import cycle
from pathlib import Path

import pytest

from faults import delivering_program, receiving_program
from fixtures.broker import free_ports
from fixtures.database import BOOK, Database
from fixtures.subscribed import Desk
from ledger.store.books import Books
from ledger.store.event_store import EventStore
from ledger.store.keys import MasterKeys
from ledger.store.pool import Pool

SHORT, FULL = (1_200, 4), (10_000, 40)
"""Events, and deaths of each of the two."""
SENDER_STEPS = ("before-send", "before-answer", "before-checkpoint", "after-checkpoint")
RECEIVER_STEPS = ("before-taking", "before-answer", "after-answer")
CONTRACTS = 50
LONGEST_SECONDS = 900

pytestmark = pytest.mark.test_all


class Dying:
    """A program that is started again, at the next step of its death, each time it has killed itself."""

    def __init__(self, module: object, words: list[str], steps: tuple[str, ...], chance: float) -> None:
        self.file, self.words, self.chance = str(module.__file__), words, chance  # type: ignore[attr-defined]
        self.all_steps = set(steps)
        self.steps = cycle(steps)
        self.step = ""
        self.deaths: Counter[str] = Counter()
        self.running: subprocess.Popen[bytes] | None = None

    @property
    def has_died_at_each(self) -> bool:
        """Whether it has died at every step."""
        return self.deaths.keys() >= self.all_steps

    def look_after(self, *, calm: bool = False) -> None:
        """Start it where it does not run; `calm`: it dies no more."""
        if self.running is not None and self.running.poll() is not None:
            assert self.running.returncode == -9, f"it ended by itself: {self.running.returncode}"
            self.deaths[self.step] += 1
            self.running = None
        if self.running is None:
            self.step = "never" if calm else next(self.steps)
            chance = 20 * self.chance if "checkpoint" in self.step else self.chance
            self.running = subprocess.Popen([sys.executable, self.file, *self.words, self.step, str(chance)])

    def end(self) -> None:
        if self.running is not None:
            self.running.kill()
            self.running.wait()


def test_no_event_is_missed_doubled_or_overtaken_whoever_dies_at_every_step(  # noqa: PLR0913 # fixtures
    database: Database, tmp_path: Path, sealer_pool: Pool, pool: Pool, books: Books, *, full: bool
) -> None:
    assert books.names() == [BOOK]
    events, deaths = FULL if full else SHORT
    keys = tmp_path / "master.key"
    desk = Desk(EventStore(pool, MasterKeys.create(keys)), pool, sealer_pool, BOOK)
    [port] = free_ports(1)
    written = tmp_path / "written"
    written.touch()
    desk.record(*(number % CONTRACTS for number in range(events)))
    desk.subscriptions.add_webhook("erp", f"http://127.0.0.1:{port}/hook", after=-1)
    sender = Dying(delivering_program, [database.app_dsn, str(keys), BOOK], SENDER_STEPS, 1 / 60)
    receiver = Dying(receiving_program, [str(port), str(written)], RECEIVER_STEPS, 1 / 100)
    until = time.monotonic() + LONGEST_SECONDS
    try:
        while not (_done(desk) and sender.has_died_at_each and receiver.has_died_at_each):
            if _done(desk):
                desk.record(*range(CONTRACTS))  # It was quicker than its deaths.
                events += CONTRACTS
            died = f"the sender {dict(sender.deaths)}, the receiver {dict(receiver.deaths)}"
            assert time.monotonic() < until, f"not done though died {died}: {desk.subscriptions.all()}"
            sender.look_after(calm=sum(sender.deaths.values()) >= deaths)
            receiver.look_after(calm=sum(receiver.deaths.values()) >= deaths)
            time.sleep(0.02)
    finally:
        sender.end()
        receiver.end()
    judge(written, events)


def _done(desk: Desk) -> bool:
    standing = desk.subscriptions.one("erp")
    assert standing.backlog.parked == 0
    return standing.lag == standing.backlog.waiting == 0


def judge(written: Path, events: int) -> None:
    lines = [line.split() for line in written.read_text().splitlines()]
    first = {event_id: (contract, int(position)) for event_id, contract, position in reversed(lines)}
    assert sorted(position for _, position in first.values()) == list(range(events)), "one was missed"
    last: dict[str, int] = {}
    for event_id in dict.fromkeys(line[0] for line in lines):
        contract, position = first[event_id]
        assert position > last.get(contract, -1), "one overtook another of its contract"
        last[contract] = position
