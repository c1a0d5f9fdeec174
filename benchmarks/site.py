"""`python -m benchmarks.site`: how long pages take on a large book.

Makes a book of so many contracts in a home of its own (minutes), or takes one that is there (--home), runs
`up` on it and asks for each page in turn, as one person would who is signed in: median and 95th percentile of
whole answers, first contentful paint in Chromium, weight with nothing kept before.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from benchmarks.large_book import UNTIL, write_large_book

CONSOLE: Final = Console()
PROGRAM: Final = Path(sys.executable).with_name("claims-ledger")
CHROMIUM: Final = Path("/usr/bin/chromium")
UP_SECONDS: Final = 120
PAGES: Final = (
    "/",
    "/contracts",
    "/contracts?status=cancelled",
    "/contracts?search=BIG-0500",
    "/contracts/BIG-000005",
    "/contracts/BIG-000005/replay",
    "/claims",
    "/claims?guarantee=data&status=accepted",
    "/claims/C-BIG-000005",
    "/due",
    "/due?kind=refund&status=all",
    "/due/calendar?month=2026-03",
    "/reports",
    "/reports/refunds",
    "/feed",
    "/verify",
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.site", description=__doc__)
    parser.add_argument("--contracts", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=40, help="requests of each page (default: 40)")
    parser.add_argument("--home", type=Path, help="a ledger's home with such a book in it")
    asked = parser.parse_args()
    if asked.home is not None:
        _measure(asked.home, asked.times)
        return
    with TemporaryDirectory(prefix="ledger-bench-") as folder:
        Path(folder).chmod(0o711)
        home = Path(folder) / "home"
        _make(home, asked.contracts)
        _measure(home, asked.times)


def _make(home: Path, contracts: int) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "book.jsonl"
        commands = write_large_book(file, contracts)
        CONSOLE.print(f"Importing {commands:,} commands of {contracts:,} contracts…")
        _run(home, "init", "--simulated")
        _run(home, "import", str(file), "--until", UNTIL.isoformat())
    CONSOLE.print("Folding the views…")
    _run(home, "projections", "list")
    _run(home, "today", "--json")


def _run(home: Path, *words: str) -> str:
    done = subprocess.run(
        [PROGRAM, *words], env=_environment(home), check=False, capture_output=True, text=True
    )
    if done.returncode not in {0, 1}:
        raise RuntimeError(done.stderr)
    return done.stdout


def _environment(home: Path) -> dict[str, str]:
    return os.environ | {"CLAIMS_LEDGER_HOME": str(home), "NO_COLOR": "1"}


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


def _measure(home: Path, times: int) -> None:
    with _up(home) as address:
        link = re.search(r"cll_[\w-]+", _run(home, "token", "link", "--role", "admin", "--name", "bench"))
        if link is None:
            message = "no sign-in link was made"
            raise RuntimeError(message)
        connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
        cookie = _signed_in(connection, link[0])
        measured = {path: _times(connection, cookie, path, times) for path in PAGES}
        paints = _paints(address, cookie) if CHROMIUM.exists() else {}
    table = Table(title=f"Pages of a large book, {times} requests each, one at a time")
    for heading in ("page", "first", "median", "p95", "first paint", "weight"):
        table.add_column(heading, justify="left" if heading == "page" else "right", no_wrap=True)
    for path, seconds in measured.items():
        paint, weight = paints.get(path, (None, None))
        table.add_row(
            path,
            f"{seconds[0] * 1000:.0f} ms",
            f"{statistics.median(seconds) * 1000:.0f} ms",
            f"{_percentile(seconds, 95) * 1000:.0f} ms",
            "" if paint is None else f"{paint:.0f} ms",
            "" if weight is None else f"{weight / 1000:.0f} kB",
        )
    everything = [second for seconds in measured.values() for second in seconds]
    table.add_row(
        "all pages",
        f"{max(seconds[0] for seconds in measured.values()) * 1000:.0f} ms at most",
        f"{statistics.median(everything) * 1000:.0f} ms",
        f"{_percentile(everything, 95) * 1000:.0f} ms",
        "",
        "",
    )
    CONSOLE.print(table)
    CONSOLE.print("Must: p95 below 150 ms, first paint below 1,000 ms, weight below 250 kB.")


def _signed_in(connection: HTTPConnection, code: str) -> str:
    connection.request("GET", f"/sign-in?code={code}")
    answer = connection.getresponse()
    answer.read()
    return (answer.getheader("Set-Cookie") or "").partition(";")[0]


def _times(connection: HTTPConnection, cookie: str, path: str, times: int) -> list[float]:
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": cookie})
        answer = connection.getresponse()
        answer.read()
        seconds.append(time.perf_counter() - begun)
        if answer.status != 200:  # noqa: PLR2004  # found
            message = f"{path} answered {answer.status}"
            raise RuntimeError(message)
    return seconds  # The first one reads what is remembered for the others.


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


def _percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


if __name__ == "__main__":
    main()
