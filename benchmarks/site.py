"""`python -m benchmarks site`: how long pages take on a large book, and how long while others record.

Makes a book of so many contracts in a home of its own (100,000 take a quarter of an hour), or takes one that
is there (--home), runs `up` on it and asks for each page in turn, as one person would who is signed in:
median and 95th percentile of whole answers, first contentful paint in Chromium, weight with nothing kept
before. Then the same beside a desk that sends so many commands a second: each request finds another position.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from benchmarks.large_book import UNTIL, write_large_book
from benchmarks.recording_desk import recording

CONSOLE: Final = Console(width=110)
PROGRAM: Final = Path(sys.executable).with_name("coverledger")
CHROMIUM: Final = Path("/usr/bin/chromium")
UP_SECONDS: Final = 120
CATCH_UP_SECONDS: Final = 1_800
PAGES: Final = (
    "/",
    "/contracts",
    "/contracts?status=cancelled",
    "/contracts?search=BIG-0000",
    "/contracts/BIG-000005",
    "/contracts/BIG-000005/replay",
    "/contracts/new",
    "/claims",
    "/claims?guarantee=data&status=accepted",
    "/claims/C-BIG-000005",
    "/claims/new",
    "/complaints",
    "/due",
    "/due?kind=refund&status=all",
    "/due?as_of=150000",
    "/due/calendar?month=2026-03",
    "/due/calendar?month=2025-11",
    "/letters",
    "/retention",
    "/persons",
    "/reports",
    "/reports/refunds",
    "/reports/payments",
    "/reports/recoveries",
    "/reports/timeline",
    "/reports/guarantees",
    "/reports/bordereau",
    "/feed",
    "/feed/subscriptions",
    "/verify",
    "/cancellations",
)


class Measured(NamedTuple):
    """What a page took: seconds of each answer, milliseconds to its first paint, bytes."""

    seconds: Sequence[float]
    paint: float | None
    weight: int | None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.site", description=__doc__)
    parser.add_argument("--contracts", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=40, help="requests of each page (default: 40)")
    parser.add_argument("--rate", type=float, default=5, help="commands a second beside (default: 5)")
    parser.add_argument("--home", type=Path, help="a ledger's home with such a book in it")
    asked = parser.parse_args()
    if asked.home is None:
        of_a_new_book(asked.contracts, asked.times, asked.rate)
    else:
        measure(asked.home, asked.times, asked.rate)


def of_a_new_book(contracts: int, times: int, rate: float) -> None:
    """Make a book, measure its pages, and leave nothing behind."""
    with TemporaryDirectory(prefix="ledger-bench-") as folder:
        Path(folder).chmod(0o711)
        home = Path(folder) / "home"
        make(home, contracts)
        measure(home, times, rate)


def make(home: Path, contracts: int) -> None:
    """Make a book of so many contracts in a new home."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "book.jsonl"
        commands = write_large_book(file, contracts)
        CONSOLE.print(f"Importing {commands:,} commands of {contracts:,} contracts…")
        _run(home, "init", "--simulated")
        _run(home, "import", str(file), "--until", UNTIL.isoformat())


def measure(home: Path, times: int, rate: float) -> None:
    """Measure the pages of the book in a home, on a still book and beside writes."""
    with _up(home) as address:
        _wait_for_the_views(home)
        link = re.search(r"cll_[\w-]+", _run(home, "token", "link", "--role", "admin", "--name", "bench"))
        if link is None:
            message = "no sign-in link was made"
            raise RuntimeError(message)
        connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
        cookie = _signed_in(connection, link[0])
        paints = _paints(address, cookie) if CHROMIUM.exists() else {}
        _tell(_measured(connection, cookie, paints, times, pause=0), times, 0)
        with recording(connection.host, connection.port, _token(home), rate):
            measured = _measured(connection, cookie, paints, times, pause=1 / rate)
        _tell(measured, times, rate)


def _measured(
    connection: HTTPConnection,
    cookie: str,
    paints: Mapping[str, tuple[float, int]],
    times: int,
    pause: float,
) -> Mapping[str, Measured]:
    return {
        path: Measured(_times(connection, cookie, path, times, pause), *paints.get(path, (None, None)))
        for path in PAGES
    }


def _tell(measured: Mapping[str, Measured], times: int, rate: float) -> None:
    beside = f"beside {rate:g} commands/s" if rate else "on a still book"
    table = Table(title=f"Pages of a large book {beside}, {times} requests each, one at a time")
    for heading in ("page", "first", "median", "p95", "first paint", "weight"):
        table.add_column(heading, justify="left" if heading == "page" else "right", no_wrap=True)
    for path, (seconds, paint, weight) in measured.items():
        table.add_row(
            path,
            f"{seconds[0] * 1000:.0f} ms",
            f"{statistics.median(seconds) * 1000:.0f} ms",
            f"{_p95(seconds) * 1000:.0f} ms",
            "" if paint is None else f"{paint:.0f} ms",
            "" if weight is None else f"{weight / 1000:.0f} kB",
        )
    everything = [second for page in measured.values() for second in page.seconds]
    table.add_row(
        "all pages",
        f"{max(page.seconds[0] for page in measured.values()) * 1000:.0f} ms at most",
        f"{statistics.median(everything) * 1000:.0f} ms",
        f"{_p95(everything) * 1000:.0f} ms",
        "",
        "",
    )
    CONSOLE.print(table)
    CONSOLE.print("Must, of each page: p95 below 150 ms, first paint below 1,000 ms, weight below 250 kB.")


def _token(home: Path) -> str:
    made = _run(home, "token", "create", "--role", "back_office", "--name", "bench-desk", "--json")
    return str(json.loads(made)["token"])


def _wait_for_the_views(home: Path) -> None:
    CONSOLE.print("Waiting for the views…")
    until = time.monotonic() + CATCH_UP_SECONDS
    while time.monotonic() < until:
        if all(view["lag"] == 0 for view in json.loads(_run(home, "projections", "list", "--json"))):
            return
        time.sleep(2)
    message = f"the views are still behind after {CATCH_UP_SECONDS} s"
    raise RuntimeError(message)


def _run(home: Path, *words: str) -> str:
    done = subprocess.run(
        [PROGRAM, *words], env=_environment(home), check=False, capture_output=True, text=True
    )
    if done.returncode not in {0, 1}:
        raise RuntimeError(done.stderr)
    return done.stdout


def _environment(home: Path) -> dict[str, str]:
    return os.environ | {"COVERLEDGER_HOME": str(home), "NO_COLOR": "1"}


@contextmanager
def _up(home: Path) -> Iterator[str]:
    """Run `up`; gives the site's address."""
    running = subprocess.Popen(
        [PROGRAM, "up"], env=_environment(home), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert running.stderr is not None  # noqa: S101  # a pipe, as asked for
    lines = running.stderr
    address = ""
    try:
        for line in lines:
            found = re.match(r"HTTP\s+(\S+)", line)
            address = found[1] if found else address
            if line.startswith("Ready"):
                break
        # A pipe that nobody reads fills up with lines on requests, and then everything waits.
        Thread(target=lambda: list(lines), daemon=True).start()
        yield address
    finally:
        running.terminate()
        running.wait(timeout=UP_SECONDS)


def _signed_in(connection: HTTPConnection, code: str) -> str:
    connection.request("GET", f"/sign-in?code={code}")
    answer = connection.getresponse()
    answer.read()
    return (answer.getheader("Set-Cookie") or "").partition(";")[0]


def _times(connection: HTTPConnection, cookie: str, path: str, times: int, pause: float) -> list[float]:
    seconds = []
    connection.close()  # It was idle, and the server may be about to close it: it opens by itself.
    for _ in range(times):
        time.sleep(pause)
        begun = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": cookie})
        answer = connection.getresponse()
        answer.read()
        seconds.append(time.perf_counter() - begun)
        if answer.status != 200:  # noqa: PLR2004  # found
            message = f"{path} answered {answer.status}"
            raise RuntimeError(message)
    return seconds


def _paints(address: str, cookie: str) -> dict[str, tuple[float, int]]:
    """First contentful paint in milliseconds, and weight in bytes, in a browser that has kept nothing."""
    from playwright.sync_api import Response, sync_playwright  # noqa: PLC0415  # of the test group

    name, _, value = cookie.partition("=")
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        for path in PAGES:
            context = browser.new_context()
            context.add_cookies([{"name": name, "value": value, "url": address}])
            page = context.new_page()
            answers: list[Response] = []
            page.on("response", lambda answer, seen=answers: seen.append(answer))
            page.goto(address + path, wait_until="networkidle")
            paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            found[path] = (paint, sum(len(answer.body()) for answer in answers))
            context.close()
        browser.close()
    return found


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=100)[94]


if __name__ == "__main__":
    main()
