"""Schedulers whose clocks are wrong, kill -9, a database that dies, DST nights: each effect once, none early.

A real book on an embedded Postgres of its own; the database's clock is set to just before Brussels midnight
of the four nights around the changes of summer time, and goes on from there. What must happen is computed by
the second reading of the rules (tests/oracle).
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import psycopg2
import pytest

from fixtures.moved_clock import MovedClock
from fixtures.program import environment_for
from ledger.postgres import EmbeddedPostgres
from ledger.store.books import DATABASE
from oracle import brussels
from oracle.effects import Effect, effects_of_time
from oracle.reading import Book, Line
from schedulers.services import TICK_SECONDS

SCRIPT = Path(__file__).with_name("scheduler_apart.py")
NIGHTS = (date(2027, 3, 28), date(2027, 3, 29), date(2027, 10, 31), date(2027, 11, 1))
"""Days that begin before and after the nights in which Brussels changes its clocks."""
STARTS = (  # one contract each has a deadline at 00:00 of one of the nights, many have more
    date(2026, 6, 28),
    date(2026, 3, 28),
    date(2026, 6, 29),
    date(2026, 3, 29),
    date(2026, 1, 31),
    date(2025, 10, 31),
    date(2026, 2, 1),
    date(2025, 11, 1),
)
MOST_RESTARTS = 2
"""Of the database a night: one that dies ten times within a minute is left alone (ledger.postgres)."""
APART_SECONDS = (600, -600, 86_400, -86_400)
"""How far the schedulers' clocks are ahead of the database's."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of it."""

    contracts: int
    schedulers: int
    nights: tuple[date, ...]
    chaos_seconds: float


SHORT = Extent(contracts=64, schedulers=2, nights=(NIGHTS[0], NIGHTS[2]), chaos_seconds=6)
FULL = Extent(contracts=10_000, schedulers=4, nights=NIGHTS, chaos_seconds=25)


@pytest.fixture
def home() -> Iterator[Path]:
    # Not below pytest's own folder: as root, Postgres runs as another user, who may not pass through it.
    with TemporaryDirectory(prefix="coverledger-home-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "home"


def written(contracts: int) -> list[Line]:
    """Contracts with deadlines in those nights: some renew, some have a letter, some a notice."""
    lines = []
    for number in range(contracts):
        name, starts_on = f"CC-{number}", STARTS[number % len(STARTS)]
        lines.append((starts_on, "StartContract", started(name, starts_on)))
        kind = number // len(STARTS) % 3
        if kind == 1 and starts_on not in (STARTS[0], STARTS[2]):
            posted = date(2026, 12, 1) if starts_on.month == 3 else date(2027, 3, 1)
            fields = {"contract": name, "posted_on": posted.isoformat(), "tracking": f"RR{number}BE"}
            lines.append((posted, "SendTerminationNotice", fields))
        if kind == 2 and starts_on.month in (3, 11):
            received = date(2027, 2, 27) if starts_on.month == 3 else date(2027, 3, 2)
            lines.append(
                (
                    received,
                    "GiveNotice",
                    {"contract": name, "received_on": received.isoformat(), "channel": "counter"},
                )
            )
    lines.sort(key=lambda line: line[0])
    return [
        {
            "command_id": f"c-{place}",
            "command": command,
            "at": f"{day.isoformat()}T09:00:00+02:00",
            "data": fields,
        }
        for place, (day, command, fields) in enumerate(lines)
    ]


def started(name: str, starts_on: date) -> dict[str, object]:
    person = {"person": f"P-{name}", "name": "Zoë Ünal"}
    return {
        "contract": name,
        "product": "cyber-care",
        "starts_on": starts_on.isoformat(),
        "policyholder": person,
    }


def expected(lines: list[Line], until: date) -> "Counter[Effect]":
    """What time must have done to each contract by a day, by the second reading."""
    book = Book()
    for line in lines:
        assert book.submit(line)["status"] == "recorded", line
    book.advance(until)
    return effects_of_time(book)


@dataclass
class Machines:
    """Schedulers in processes of their own, each with its own wrong clock, started again when killed."""

    home: Path
    log: Path
    processes: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    killed: int = 0

    def start(self, apart: int) -> None:
        told = self.log / f"{apart}.log"
        told.unlink(missing_ok=True)
        with told.open("wb") as stderr:
            self.processes[apart] = subprocess.Popen(
                [sys.executable, str(SCRIPT), str(apart)],
                env=environment_for(self.home),
                stdout=stderr,
                stderr=stderr,
            )

    def kill(self, apart: int) -> None:
        self.processes[apart].kill()
        self.processes[apart].wait()
        self.killed += 1
        self.start(apart)

    def all_up(self) -> bool:
        for apart, process in self.processes.items():
            if process.poll() is not None:  # its database was away for longer than a start waits
                self.start(apart)
        return all(b"Ready." in (self.log / f"{apart}.log").read_bytes() for apart in self.processes)

    def end(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()


def kill_postgres(home: Path) -> None:
    pointer = home / "postgres" / "data-folder"
    data = Path(pointer.read_text().strip()) if pointer.exists() else home / "postgres" / "data"
    with suppress(FileNotFoundError, ProcessLookupError, IndexError):
        os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


def answers(dsn: str) -> bool:
    try:
        psycopg2.connect(dsn, connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


def wait_for(holds: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def wreak_havoc(chance: Random, machines: Machines, dsn: str, seconds: float) -> int:
    """Kill schedulers and the database at random; databases killed."""
    until, restarts = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        time.sleep(chance.uniform(0.2, 1.5))
        if restarts < MOST_RESTARTS and chance.random() < 0.3:
            kill_postgres(machines.home)
            restarts += 1
            assert wait_for(lambda: answers(dsn), 30)
        else:
            machines.kill(chance.choice(list(machines.processes)))
    return restarts


def effects(dsn: str) -> list[tuple[str, str, date, datetime, datetime]]:
    """Everything that time recorded: stream, type, effective_on, at, recorded_at."""
    connection = psycopg2.connect(dsn)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select stream, type, effective_on, at, recorded_at from ledger.events where actor = 'time'"
            )
            return [(*row[:3], row[3].astimezone(UTC), row[4].astimezone(UTC)) for row in cursor.fetchall()]
    finally:
        connection.close()


@pytest.mark.test_all
def test_each_deadline_takes_effect_once_and_never_early_whatever_happens_to_machines_and_clocks(
    home: Path, tmp_path: Path, *, full: bool
) -> None:
    extent = FULL if full else SHORT
    chance = Random(29)  # noqa: S311  # faults, not secrets
    lines = written(extent.contracts)
    file = tmp_path / "book.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    first = brussels.midnight(extent.nights[0])
    with EmbeddedPostgres(home).join() as server:
        run("init", home=home)
        dsn = psycopg2.extensions.make_dsn(server.superuser_dsn, dbname=DATABASE)
        clock = MovedClock(dsn)
        clock.set(first - timedelta(hours=1))
        run("import", str(file), home=home)
        run("deadlines", "sweep", home=home)
        before = len(effects(dsn))

        machines = Machines(home, tmp_path)
        restarts, latest = 0, timedelta()
        try:
            for apart in APART_SECONDS[: extent.schedulers]:
                machines.start(apart)
            for night in extent.nights:
                assert wait_for(machines.all_up, 60)
                midnight = brussels.midnight(night)
                clock.set(midnight - timedelta(seconds=extent.chaos_seconds / 3))
                restarts += wreak_havoc(chance, machines, dsn, extent.chaos_seconds)
                assert wait_for(machines.all_up, 60)
                up_again = max(clock.now(), midnight)
                due_then = sum(expected(lines, night).values())
                caught_up = wait_for(lambda due=due_then: len(effects(dsn)) >= due, TICK_SECONDS * 4)
                assert caught_up, f"{len(effects(dsn))} of {due_then} by {night}"
                last = max(recorded for *_, recorded in effects(dsn))
                latest = max(latest, last - up_again)
        finally:
            machines.end()

        done = effects(dsn)
        assert Counter(row[:3] for row in done) == expected(lines, extent.nights[-1])
        early = [row for row in done if row[4] < row[3] or row[3] < brussels.midnight(row[2])]
        assert early == []
        assert latest <= timedelta(seconds=TICK_SECONDS)
        sys.stdout.write(
            f"\n{len(done) - before:,} deadlines by {extent.schedulers} schedulers, {machines.killed} killed,"
            f" {restarts} databases killed; the last one {latest.total_seconds():+.1f} s"
            " from when all was up again\n"
        )


def run(*words: str, home: Path) -> None:
    ended = subprocess.run(
        [Path(sys.executable).with_name("coverledger"), *words],
        env=environment_for(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
