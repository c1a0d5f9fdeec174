"""The read side on a large book: catching up, one contract's limits, a rebuild beside arrivals and readers.

`python -m benchmarks.views`; it takes about ten minutes for a million events on two quiet cores.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Event as StopEvent
from types import FrameType

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.big_book import BigBook, sample_events
from benchmarks.server import running_server
from coverledger.composition import opened
from ledger.app import App
from ledger.config import Settings
from ledger.store.feed import feed_end
from ledger.store.pool import Pool
from projections.listing import Filters
from projections.maintenance.rebuild import rebuild_together
from projections.queries.questions import list_limits
from projections.queries.reader import SNAPSHOT, Reader, known_end
from projections.views.registry import VIEWS

BOOK = "cyber-care"
TWO = ("limits", "due")
QUESTIONS = 2_000
A_SECOND = 200
QUARTERS = 4
MEGABYTE = 1 << 20
CONSOLE = Console()


def main() -> None:
    """Make the book and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.views", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="size of the book (default: 1,000,000)")
    parser.add_argument("--first", type=int, default=100_000, help="of the first catch-up (default: 100,000)")
    parser.add_argument("--rebuild", nargs="+", choices=list(VIEWS), default=list(VIEWS), help="default: all")
    parser.add_argument("--role", choices=("arrive", "follow", "read"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.role:
        {"arrive": _arrive, "follow": _follow, "read": _read}[asked.role]()
        return
    with tempfile.TemporaryDirectory(prefix="ledger-views-") as folder, running_server() as server:
        name = server.create_database()
        os.environ |= {"COVERLEDGER_HOME": folder, "COVERLEDGER_DSN": server.dsn(name)}
        with opened(BOOK, Settings.load()) as wiring:
            _measure(wiring, server.dsn(name), asked.events, asked.first, asked.rebuild)


def _measure(wiring: App, dsn: str, events: int, first: int, rebuilt: Sequence[str]) -> None:
    _record_sample()
    book = BigBook(dsn, BOOK, sample_events(wiring.pool, BOOK))
    book.write(first)
    table = Table(title=f"Catching up over one reading of the feed; load {os.getloadavg()[0]:.1f}")
    for heading in ("", "events", "events/s", "must", "processor", "memory, a quarter each"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_row("limits and due", *_caught_up(wiring, TWO, "10,000"))
    for name in TWO:
        wiring.runner(name).start_over()
    table.add_row("all views", *_caught_up(wiring, tuple(VIEWS), "3,000"))
    book.write(events)
    table.add_row("all views, to the end", *_caught_up(wiring, tuple(VIEWS), "3,000"))
    CONSOLE.print(table)
    _ask(wiring, book.numbers())
    _rebuild(wiring, rebuilt)


def _record_sample() -> None:
    from importlib.resources import files  # noqa: PLC0415  # only here

    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write((files("ledger") / "samples" / "book.jsonl").read_text(encoding="utf-8"))
        file.flush()
        done = subprocess.run(
            [Path(sys.executable).with_name("coverledger"), "import", file.name, "--until", "2026-03-01"],
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    if done.returncode not in {0, 1}:
        raise RuntimeError(done.stderr)


def _caught_up(wiring: App, names: Sequence[str], must: str) -> list[str]:
    with wiring.pool.connection() as connection:
        events = feed_end(connection, BOOK) - known_end(connection, BOOK, names)
    held: list[float] = []
    passed = 0

    def pass_on(positions: int) -> None:
        nonlocal passed
        passed += positions
        if passed * QUARTERS >= events * (len(held) + 1):
            held.append(psutil.Process().memory_info().rss / MEGABYTE)

    begun, busy = time.monotonic(), time.process_time()
    wiring.together(*names).catch_up(pass_on)
    seconds, busy = time.monotonic() - begun, time.process_time() - busy
    return [
        f"{events:,}",
        f"{events / seconds:,.0f}",
        must,
        f"{busy / seconds:.0%}",
        f"{' '.join(f'{megabytes:,.0f}' for megabytes in held)} MB",
    ]


@contextmanager
def _reader(pool: Pool, position: int | None = None) -> Iterator[Reader]:
    with pool.transaction() as connection:
        with connection.cursor() as cursor:
            cursor.execute(SNAPSHOT)
        end = known_end(connection, BOOK, ("limits",))
        yield Reader(connection, BOOK, end if position is None else position)


def _ask(wiring: App, numbers: Sequence[str]) -> None:
    chance = Random(7)  # noqa: S311 - which contracts, not a secret
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select 1")
        end = known_end(connection, BOOK, ("limits",))

    def now() -> None:
        with _reader(wiring.pool) as reader:
            list_limits(reader, Filters(contract=chance.choice(numbers)))

    def as_of() -> None:
        with _reader(wiring.pool, chance.randrange(end)) as reader:
            list_limits(reader, Filters(contract=chance.choice(numbers)))

    table = Table(title=f"Limits of one contract, of {len(numbers):,} in {end + 1:,} events: ms")
    for heading in ("", "median", "p99", "slowest", "must (p99)"):
        table.add_column(heading, justify="left" if not heading else "right")
    for label, question, must in (("now", now, "5"), ("as of any position", as_of, "20")):
        table.add_row(label, *_milliseconds(question), must)
    CONSOLE.print(table)


def _milliseconds(question: Callable[[], None]) -> list[str]:
    taken = []
    for _ in range(QUESTIONS):
        begun = time.perf_counter()
        question()
        taken.append((time.perf_counter() - begun) * 1000)
    return [f"{statistics.median(taken):.1f}", f"{_p99(taken):.1f}", f"{max(taken):.1f}"]


def _p99(taken: Sequence[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.99)]


def _rebuild(wiring: App, names: Sequence[str]) -> None:
    """Rebuild while events arrive, views follow them, and a reader reads, each a program of its own."""
    with wiring.pool.connection() as connection:
        before = feed_end(connection, BOOK)
    beside = {role: _begin(role) for role in ("arrive", "follow", "read")}
    begun = time.monotonic()
    rebuilt = rebuild_together(wiring.pool, BOOK, [VIEWS[name] for name in names])
    seconds = time.monotonic() - begun
    said = {role: _end(program) for role, program in beside.items()}
    with wiring.pool.connection() as connection:
        arrived = feed_end(connection, BOOK) - before
    events = rebuilt[0].positions
    table = Table(title=f"Rebuilding {len(names)} views beside {A_SECOND} events/s and a reader")
    for heading in ("", "measured", "must"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_row("events folded", f"{events:,}", "")
    table.add_row("events/s", f"{events / seconds:,.0f}", "")
    table.add_row("events that arrived, a second", f"{arrived / seconds:,.0f}", f"{A_SECOND}")
    table.add_row("row versions that differ", f"{sum(one.differing for one in rebuilt):,}", "0")
    table.add_row("longest switch, s", f"{max(one.switch_seconds for one in rebuilt):.2f}", "< 1")
    table.add_row("reads / failed / wrong / p99 ms", said["read"], "… / 0 / 0 / …")
    CONSOLE.print(table)


def _begin(role: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.views", "--role", role], stdout=subprocess.PIPE, text=True
    )


def _end(program: "subprocess.Popen[str]") -> str:
    program.send_signal(signal.SIGTERM)
    said, _ = program.communicate(timeout=60)
    return said.strip()


def _told_to_stop() -> StopEvent:
    stop = StopEvent()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    return stop


def _arrive() -> None:
    stop = _told_to_stop()
    with opened(BOOK, Settings.load()) as wiring:
        with wiring.pool.connection() as connection, connection.cursor() as cursor:
            # The sample itself: all before the first copy.
            cursor.execute(
                "select min(position) from ledger.history where book = %s and stream like %s",
                (BOOK, "%-10000-%"),
            )
            [(first,)] = cursor.fetchall()
            end = feed_end(connection, BOOK)
        events = sample_events(wiring.pool, BOOK, first)
        book = BigBook(os.environ["COVERLEDGER_DSN"], BOOK, events)
        book.go_on(end + 1, 90_000)
        sys.stdout.write(f"{book.arrive(A_SECOND, stop.is_set):,}\n")


def _follow() -> None:
    stop = _told_to_stop()
    with opened(BOOK, Settings.load()) as wiring:
        wiring.together(*VIEWS).run(stop)


def _read() -> None:
    """Ask for limits of contracts on which nothing happens any more: the answer must stay the same."""
    stop = _told_to_stop()
    chance = Random(8)  # noqa: S311 - which contracts, not a secret
    taken: list[float] = []
    failed = wrong = 0
    with Pool(os.environ["COVERLEDGER_DSN"], size=2) as pool:
        with pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(
                "select contract from reporting.contracts where book = %s and contract like %s limit 500",
                (BOOK, "CC-1%"),
            )
            numbers = [number for (number,) in cursor]
        known: dict[str, object] = {}
        while not stop.is_set():
            number = chance.choice(numbers)
            begun = time.perf_counter()
            try:
                with _reader(pool) as reader:
                    said = list_limits(reader, Filters(contract=number))
            except Exception as error:  # noqa: BLE001  # counted and told: none is awaited
                sys.stderr.write(f"{type(error).__name__}: {error}\n")
                failed += 1
                continue
            taken.append((time.perf_counter() - begun) * 1000)
            wrong += known.setdefault(number, said) != said or not said
            time.sleep(0.005)
    sys.stdout.write(f"{len(taken):,} / {failed} / {wrong} / {_p99(taken):.1f}\n")


if __name__ == "__main__":
    main()
